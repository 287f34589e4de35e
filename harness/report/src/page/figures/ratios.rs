//! Ratios around 1: what settings are worth, and what is noise.

use tare_model::Metric;
use tare_stats::Estimate;

use super::{Figure, Heading, View, reach};
use crate::charts::{Dot, Dots, Quantity, Reference, Row, Scale as Axis};
use crate::format::{Scale, ratio, spread};
use crate::settings::{Pair, SHOWN, of_service};

/// The names and titles of the charts, in the order of what is shown.
const CHARTS: [(&str, &str); 3] = [
    ("settings-startup", "cold start, over the other setting"),
    ("settings-memory", "idle memory with what the engine runs beside, over the other setting"),
    ("settings-throughput", "throughput, over the other setting"),
];

pub(super) fn figures(view: View<'_>) -> Vec<Figure> {
    let chart = |((name, title), (_, metrics))| {
        let says = "Ratio to the other setting in the same round: 1 is no difference.";
        settings(view, Heading { topic: "settings", name, title, says }, metrics)
    };
    CHARTS.into_iter().zip(SHOWN).filter_map(chart).collect()
}

fn settings(view: View<'_>, heading: Heading, metrics: &[(&Metric, &str)]) -> Option<Figure> {
    let of = |pair| Some((pair, of_service(view.content.samples, view.service, pair, metrics)?));
    let told: Vec<(&Pair, Estimate)> = view.content.pairs.iter().filter_map(of).collect();
    if told.is_empty() {
        return None;
    }
    let plain = Scale::of(tare_model::Unit::Count, 1.0);
    let rows = told.iter().map(|(pair, estimate)| Dot {
        row: Row {
            label: pair.of.clone(),
            platform: pair.of.split('/').next().unwrap_or_default().to_owned(),
            text: format!("{} {}", ratio(estimate.median), spread(estimate)).trim_end().to_owned(),
            tip: format!("{} over {} ({}): {}", pair.of, pair.over, pair.what, ratio(estimate.median)),
        },
        value: estimate.median,
        spread: reach(estimate, plain),
    });
    let chart = Dots {
        caption: view.caption(heading),
        quantity: Quantity { name: heading.title.into(), unit: String::new() },
        scale: Axis::Ratio,
        reference: Some(Reference { value: 1.0, label: "no difference".into() }),
        rows: rows.collect(),
    };
    let table = told.iter().map(|(pair, estimate)| {
        let ends = estimate.interval.map_or_else(
            || "too few rounds".to_owned(),
            |interval| format!("{} to {}", ratio(interval.low), ratio(interval.high)),
        );
        vec![pair.of.clone(), pair.over.clone(), pair.what.clone(), ratio(estimate.median), ends]
    });
    let table = table.collect();
    Some(view.figure(heading, chart.svg(), &["setting", "over", "the one difference", "ratio", "95 % interval"], table))
}
