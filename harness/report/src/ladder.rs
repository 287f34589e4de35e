//! How latency grows with load: the 99th percentile at each rate of the ladder, and the highest rate that was sustained.

use tare_model::metrics::{KEPT_UP, LADDER_LATENCY, SUSTAINED_RATE};
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
    let missed = |subject: &Subject, rate: f64| {
        let sustained = summary.cell(subject, &SUSTAINED_RATE, "p99");
        sustained.is_some_and(|cell| rate > cell.value.median && !summary.is_lower_bound(cell))
    };
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
                    Some(tail) if tail > objective_ns || missed(subject, *rate) => {
                        Piece::new(format!("{}!", scale.number(tail)), BAD)
                    }
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
    let load = &record.plan.load;
    let seconds = match load.ladder.longest_s {
        longest if longest > load.ladder_s => format!("{} to {longest} s", load.ladder_s),
        _ => format!("{} s or more", load.ladder_s),
    };
    let tries = if load.ladder.tries > 1 { format!(" in {} tries", load.ladder.tries) } else { String::new() };
    (!stated.is_empty()).then(|| {
        format!(
            "open loop of {seconds} at each of a ladder of rates common to all subjects of a service, each √2 times the one \
             before, up to the first that is not sustained{tries} (!): the 99th percentile is above the objective of {}, the \
             last answer comes later than that after the last request was due, less than {:.0} % are answered while requests \
             are due, or an answer is wrong; sustained: the highest rate before that, right to a factor of √2; ≥: in half of \
             the rounds or more the ladder ended first, or the load generator was late",
            stated.join(", "),
            KEPT_UP * 100.0
        )
    })
}
