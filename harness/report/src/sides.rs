//! What the record says of variants: their sides, defaults, best cases and baselines.

use tare_model::{Baseline, Role, RunRecord, Side, Subject, VariantId};

/// The variants of a side that are candidates for its best case, of those that a predicate accepts, in the order in which
/// equals are preferred.
pub(crate) fn candidates(record: &RunRecord, side: Side, is_there: impl Fn(&VariantId) -> bool) -> Vec<VariantId> {
    let of_side = record.platforms.iter().filter(|platform| platform.side == Some(side));
    let ids = of_side.flat_map(|platform| {
        let headlines = platform.variants.iter().filter(|variant| variant.role == Role::Headline);
        headlines.map(|variant| platform.id(variant))
    });
    ids.filter(is_there).collect()
}

/// What the defaults of a side give, of those that a predicate accepts; `None` where there is none.
pub(crate) fn default_of(record: &RunRecord, side: Side, is_there: impl Fn(&VariantId) -> bool) -> Option<VariantId> {
    let of_side = record.platforms.iter().filter(|platform| platform.side == Some(side));
    let mut ids = of_side.flat_map(|platform| {
        platform.variants.iter().filter(|variant| variant.is_default).map(|variant| platform.id(variant))
    });
    ids.find(is_there)
}

/// The variants that differ from another in one thing, with that one.
pub(crate) fn baselines(record: &RunRecord) -> Vec<(VariantId, &Baseline)> {
    let of_platform = record.platforms.iter().flat_map(|platform| {
        platform.variants.iter().filter_map(|variant| Some((platform.id(variant), variant.baseline.as_ref()?)))
    });
    of_platform.collect()
}

/// What the run is about, in words: only of sides that are there.
pub(crate) fn title<'a>(record: &RunRecord, subjects: impl Iterator<Item = &'a Subject>) -> &'static str {
    let sides: Vec<Side> = subjects.filter_map(|subject| record.side(subject)).collect();
    match (sides.contains(&Side::Wasm), sides.contains(&Side::Container)) {
        (true, true) => "Wasm component or container?",
        (true, false) => "Wasm components, measured",
        (false, true) => "Containers, measured",
        (false, false) => "Services, measured",
    }
}
