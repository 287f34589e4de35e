//! How latency grows with load: the 99th percentile at each rate of the sweep, and the highest rate that was sustained.

use tare_model::metrics::{KEPT_UP, SUSTAINED_RATE};
use tare_model::{Phase, RunRecord, Subject, Unit};
use tare_stats::Summary;

use crate::catalogue::Entry;
use crate::content::Style;
use crate::format::{Scale, number};
use crate::layout::{TableCell, TextColumn, table};
use crate::paint::{BAD, DIM, PLAIN, Piece};
use crate::subjects::Service;

/// The table of the subjects of one service that took part in the sweep, a column for each rate that any of them reached;
/// `None` where none did.
pub(crate) fn sweep(
    record: &RunRecord,
    summary: &Summary,
    service: &Service,
    entry: &Entry,
    style: Style,
) -> Option<String> {
    let rates = record.calibration.sweep_rps.get(&service.name)?;
    let objective_ns = record.plan.load.objective_ns.get(&service.name).copied().unwrap_or(f64::INFINITY);
    let at = |subject: &Subject, rate: f64| summary.cell(subject, entry.metric, Phase::at(entry.phase, rate));
    let missed = |subject: &Subject, rate: f64| {
        let sustained = summary.cell(subject, &SUSTAINED_RATE, "p99");
        sustained.is_some_and(|cell| rate > cell.value.median && !summary.is_lower_bound(cell))
    };
    let took_part = |subject: &&Subject| rates.iter().any(|rate| at(subject, *rate).is_some());
    let subjects: Vec<&Subject> = service.subjects.iter().filter(took_part).collect();
    let reached = rates.iter().filter(|rate| subjects.iter().any(|subject| at(subject, **rate).is_some()));
    // Milliseconds for all services alike: objectives are stated in them.
    let scale = Scale::of(Unit::Nanoseconds, 1e6);
    let cell = |subject: &Subject, rate: f64| match at(subject, rate).map(|cell| cell.value.median) {
        None => Piece::new("–", DIM),
        Some(tail) if tail > objective_ns || missed(subject, rate) => {
            Piece::new(format!("{}!", scale.number(tail)), BAD)
        }
        Some(tail) => Piece::new(scale.number(tail), PLAIN),
    };
    let columns = reached.map(|rate| TextColumn {
        section: format!("99th percentile in {} at so many thousand requests/s", scale.name),
        title: number(*rate / 1e3),
        cells: subjects.iter().map(|subject| TableCell::Whole(vec![cell(subject, *rate)])).collect(),
    });
    let columns: Vec<TextColumn> = columns.collect();
    let labels: Vec<Piece> = subjects.iter().map(|subject| Piece::new(service.label(subject), PLAIN)).collect();
    (!columns.is_empty()).then(|| table(&labels, &columns, style.width, style.colour))
}

/// How the sweep was made, for the explanation of its figures; `None` where there was none.
pub(crate) fn explained(record: &RunRecord) -> Option<String> {
    let swept = &record.calibration.sweep_rps;
    if swept.is_empty() {
        return None;
    }
    let objective = |service: &String| record.plan.load.objective_ns.get(service);
    let stated =
        swept.keys().filter_map(|service| Some(format!("{} ms ({service})", number(objective(service)? / 1e6))));
    let stated: Vec<String> = stated.collect();
    let beyond = if stated.is_empty() {
        String::new()
    } else {
        format!(
            "the 99th percentile is above the objective of {}, the last answer comes later than that after the last request \
             was due, ",
            stated.join(", ")
        )
    };
    let load = &record.plan.load;
    let seconds = match load.sweep.longest_s {
        longest if longest > load.sweep_s => format!("{} to {longest} s", load.sweep_s),
        _ => format!("{} s or more", load.sweep_s),
    };
    let tries = if load.sweep.tries > 1 { format!(" in {} tries", load.sweep.tries) } else { String::new() };
    Some(format!(
        "open loop of {seconds} at each of a series of rates common to all subjects of a service, each √2 times the one \
         before, up to the first that is not sustained{tries} (!): {beyond}less than {:.0} % are answered while requests are \
         due, or an answer is wrong; sustained: the highest rate before that, right to a factor of √2; ≥: in half of the \
         rounds or more the sweep ended first, or the load generator was late",
        KEPT_UP * 100.0
    ))
}
