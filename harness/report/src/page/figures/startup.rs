//! Start-up: totals, their parts, every sample.

use tare_model::Subject;
use tare_model::metrics::{STARTUP_COLD, STARTUP_WARM};
use tare_stats::Cell;

use super::{Figure, Heading, View, row, scale};
use crate::charts::{Bar, Part, Quantity, Samples, Stacked, Strip};
use crate::format::Scale;

const TOTAL: &str = "total";

pub(super) fn figures(view: View<'_>) -> Vec<Figure> {
    let cold = Heading {
        topic: "startup",
        name: "startup-cold",
        title: "cold start",
        says: "With nothing of the subject running before.",
    };
    let warm = Heading {
        topic: "startup",
        name: "startup-warm",
        title: "start in a running engine",
        says: "A component deployed into a running Wasm host. A container engine always runs: a container's cold start is this.",
    };
    let all =
        [view.dots(cold, &STARTUP_COLD, TOTAL), phases(view), samples(view), view.dots(warm, &STARTUP_WARM, TOTAL)];
    all.into_iter().flatten().collect()
}

/// The cold starts that there are, and the scale to tell them in.
fn totals(view: View<'_>) -> Option<(Vec<(&Subject, &Cell)>, Scale)> {
    let cells = view.cells(&STARTUP_COLD, TOTAL);
    let scale = scale(STARTUP_COLD.unit, cells.iter().map(|(_, cell)| cell.value.median))?;
    Some((cells, scale))
}

fn phases(view: View<'_>) -> Option<Figure> {
    let heading = Heading {
        topic: "startup",
        name: "startup-phases",
        title: "where the time of a cold start goes",
        says: "Shares of each subject's own total. Each part is a median of its own, so that they add up only about.",
    };
    let (totals, scale) = totals(view)?;
    let mut table = Vec::new();
    let bars = totals.iter().filter_map(|(subject, total)| {
        let is_part = |cell: &&Cell| cell.subject == **subject && cell.metric == &STARTUP_COLD && cell.phase != TOTAL;
        let parts: Vec<Part> = view
            .summary()
            .cells
            .iter()
            .filter(is_part)
            .map(|cell| Part {
                name: cell.phase.replace('_', " "),
                value: scale.value(cell.value.median),
                text: scale.number(cell.value.median),
            })
            .collect();
        let told = parts.iter().map(|part| format!("{} {}", part.name, part.text)).collect::<Vec<_>>().join(", ");
        let whole = format!("{} {}", scale.number(total.value.median), scale.name);
        table.push(vec![subject.setting(), whole.clone(), told]);
        (!parts.is_empty()).then(|| Bar { row: row(subject, whole), parts })
    });
    let rows: Vec<Bar> = bars.collect();
    if rows.is_empty() {
        return None;
    }
    let quantity = Quantity { name: "the cold start".into(), unit: scale.name.into() };
    let chart = Stacked { caption: view.caption(heading), quantity, normalise: true, rows };
    let parts = format!("parts, {}", scale.name);
    Some(view.figure(heading, chart.svg(), &["subject", "total", &parts], table))
}

fn samples(view: View<'_>) -> Option<Figure> {
    let heading = Heading {
        topic: "startup",
        name: "startup-samples",
        title: "every cold start",
        says: "One sample for each round.",
    };
    let (cells, scale) = totals(view)?;
    let mut table = Vec::new();
    let rows = cells.iter().map(|(subject, cell)| {
        let own =
            view.content.samples.iter().filter(|sample| {
                sample.subject == **subject && sample.metric == &STARTUP_COLD && sample.phase == TOTAL
            });
        let samples: Vec<f64> = own.map(|sample| scale.value(sample.value)).collect();
        let told: Vec<String> = samples.iter().map(|value| crate::format::number(*value)).collect();
        table.push(vec![subject.setting(), told.join(", ")]);
        Samples { row: row(subject, scale.number(cell.value.median)), samples }
    });
    let rows = rows.collect();
    let chart = Strip {
        caption: view.caption(heading),
        quantity: Quantity { name: heading.title.into(), unit: scale.name.into() },
        reference: view.reference(&STARTUP_COLD, TOTAL, scale),
        rows,
        ..Strip::default()
    };
    let samples = format!("samples, {}", scale.name);
    Some(view.figure(heading, chart.svg(), &["subject", &samples], table))
}
