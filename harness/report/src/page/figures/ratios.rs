//! Ratios around 1: what settings are worth, and what is noise.

use tare_model::metrics::{MEMORY_PSS, STARTUP_COLD, THROUGHPUT};
use tare_model::{Metric, Subject};
use tare_stats::{Estimate, paired};

use super::{Figure, Heading, View, reach};
use crate::charts::{Dot, Dots, Quantity, Reference, Scale as Axis};
use crate::format::{Scale, ratio, spread};
use crate::settings::Pair;

pub(super) fn figures(view: View<'_>) -> Vec<Figure> {
    let of = |name, title, metric| {
        let says = "Ratio to the other setting in the same round: 1 is no difference.";
        settings(view, Heading { topic: "settings", name, title, says }, metric)
    };
    let all = [
        of("settings-startup", "cold start, over the other setting", &STARTUP_COLD),
        of("settings-memory", "idle memory, over the other setting", &MEMORY_PSS),
        of("settings-throughput", "throughput, over the other setting", &THROUGHPUT),
    ];
    all.into_iter().flatten().collect()
}

fn settings(view: View<'_>, heading: Heading, metric: &Metric) -> Option<Figure> {
    let subject = |setting: &str| {
        let (platform, variant) = setting.split_once('/')?;
        Some(Subject::new(view.service, platform, variant))
    };
    let told: Vec<(&Pair, Estimate, Subject)> = view
        .content
        .pairs
        .iter()
        .filter_map(|pair| {
            let (of, over) = (subject(&pair.of)?, subject(&pair.over)?);
            let estimate = paired(view.content.samples, &of, &over, metric)?;
            Some((pair, estimate, of))
        })
        .collect();
    if told.is_empty() {
        return None;
    }
    let plain = Scale::of(tare_model::Unit::Count, 1.0);
    let rows = told.iter().map(|(pair, estimate, of)| Dot {
        label: pair.of.clone(),
        platform: of.platform.clone(),
        value: estimate.median,
        spread: reach(estimate, plain),
        text: format!("{} {}", ratio(estimate.median), spread(estimate)).trim_end().to_owned(),
        tip: format!("{} over {} ({}): {}", pair.of, pair.over, pair.what, ratio(estimate.median)),
    });
    let chart = Dots {
        caption: view.caption(heading),
        quantity: Quantity { name: heading.title.into(), unit: String::new() },
        scale: Axis::Ratio,
        reference: Some(Reference { value: 1.0, label: "no difference".into() }),
        rows: rows.collect(),
    };
    let table = told.iter().map(|(pair, estimate, _)| {
        let ends = estimate.interval.map_or_else(
            || "too few rounds".to_owned(),
            |interval| format!("{} to {}", ratio(interval.low), ratio(interval.high)),
        );
        vec![pair.of.clone(), pair.over.clone(), pair.what.clone(), ratio(estimate.median), ends]
    });
    let table = table.collect();
    Some(view.figure(heading, chart.svg(), &["setting", "over", "the one difference", "ratio", "95 % interval"], table))
}
