use super::{Better, Group, Metric, Unit};

/// How long a load ran before a loop until it was steady, by the rule that METHODOLOGY states; none of its requests is in
/// any other figure. Phases `open`, `closed`.
pub const WARM_UP: Metric = Metric {
    name: "warm_up",
    group: Group::Load,
    unit: Unit::Nanoseconds,
    better: Better::Lower,
    headline: Some("open"),
    summary: "how long a load ran until it was steady",
};
