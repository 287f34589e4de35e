//! How latency grows with load: the 99th percentile at each rate of the ladder.

use tare_model::metrics::LADDER_LATENCY;
use tare_model::{RunRecord, Subject, Unit};
use tare_stats::Summary;

use crate::format::{Scale, number};
use crate::layout::{Content, TextColumn, table};
use crate::paint::{BAD, DIM, PLAIN, Piece};

/// The table of the subjects of one service that climbed the ladder, a column for each rate that any of them reached;
/// nothing where none did.
pub(crate) fn ladder(
    record: &RunRecord,
    summary: &Summary,
    subjects: &[Subject],
    width: usize,
    colour: bool,
) -> Option<String> {
    let service = &subjects.first()?.service;
    let rates = record.calibration.ladder_rps.get(service)?;
    let objective_ns = *record.plan.load.objective_ns.get(service)?;
    let at = |subject: &Subject, rate: f64| summary.cell(subject, &LADDER_LATENCY, &format!("p99@{rate}"));
    let climbed: Vec<&Subject> =
        subjects.iter().filter(|subject| rates.iter().any(|rate| at(subject, *rate).is_some())).collect();
    let reached = rates.iter().filter(|rate| climbed.iter().any(|subject| at(subject, **rate).is_some()));
    // Milliseconds for all services alike: objectives are stated in them.
    let scale = Scale::of(Unit::Nanoseconds, 1e6);
    let columns = reached.map(|rate| TextColumn {
        section: format!("99th percentile in {} at so many thousand requests/s", scale.name),
        title: number(*rate / 1e3),
        cells: climbed
            .iter()
            .map(|subject| {
                let piece = match at(subject, *rate).map(|cell| cell.value.median) {
                    None => Piece::new("–", DIM),
                    Some(tail) if tail > objective_ns => Piece::new(format!("{}!", scale.number(tail)), BAD),
                    Some(tail) => Piece::new(scale.number(tail), PLAIN),
                };
                Content::Whole(vec![piece])
            })
            .collect(),
    });
    let columns: Vec<TextColumn> = columns.collect();
    let labels: Vec<Piece> = climbed.iter().map(|subject| Piece::new(subject.setting(), PLAIN)).collect();
    (!columns.is_empty()).then(|| table(&labels, &columns, width, colour))
}

/// What the objectives are, for the explanation of the ladder and of the highest rate that was sustained.
pub(crate) fn objectives(record: &RunRecord) -> Option<String> {
    let stated = record.calibration.ladder_rps.keys().filter_map(|service| {
        let objective = record.plan.load.objective_ns.get(service)?;
        Some(format!("{} ms ({service})", number(objective / 1e6)))
    });
    let stated: Vec<String> = stated.collect();
    (!stated.is_empty()).then(|| {
        format!(
            "open loop of {} s or more at each of a ladder of rates common to all subjects of a service, up to the first at \
             which the 99th percentile is above the objective of {} (!), a queue is left at the end, or an answer is wrong; sustained: the highest rate \
             before that",
            record.plan.load.ladder_s,
            stated.join(", ")
        )
    })
}
