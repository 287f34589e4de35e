use super::{Better, Group, Metric, Unit};

/// Bytes shipped; phases `artifact` (what the subject is started from: the component, or what it was compiled to ahead, the
/// binary, or all layers of the image), `compressed` (as pulled, gzip), `portable` (the component that was compiled ahead),
/// `shared` (the part that others on the machine share: the Wasm host, the base layers), `total` (the artifact, and all that
/// must be on the machine with it).
pub const SIZE: Metric = Metric {
    name: "size",
    group: Group::Size,
    unit: Unit::Bytes,
    better: Better::Lower,
    headline: Some("artifact"),
    summary: "bytes shipped, compressed, before it was compiled ahead, and with what must be on the machine anyway",
};
