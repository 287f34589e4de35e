//! This run against another.

use tare_model::{RunRecord, Subject};
use tare_stats::{Cell, Summary};

use crate::catalogue::{self, Column, Entry};
use crate::content::Other;
use crate::format::{Scale, ratio};
use crate::layout::{TableCell, TextColumn};
use crate::paint::{BAD, DIM, PLAIN, Piece};

/// How two values of different runs stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// Their intervals have nothing in common.
    Apart,
    /// Their intervals overlap.
    Together,
    /// One of them has no interval.
    Unknown,
}

impl Stands {
    fn of(one: &Cell, other: &Cell) -> Self {
        match (one.value.interval, other.value.interval) {
            (Some(one), Some(other)) if one.low > other.high || other.low > one.high => Self::Apart,
            (Some(_), Some(_)) => Self::Together,
            _ => Self::Unknown,
        }
    }

    fn sign(self) -> Piece {
        match self {
            Self::Apart => Piece::new("≠", BAD),
            Self::Together => Piece::new("=", DIM),
            Self::Unknown => Piece::new("?", DIM),
        }
    }
}

/// What the signs mean, and what else may differ between the runs.
pub(crate) fn explained(record: &RunRecord, other: Other<'_>) -> Vec<(String, String)> {
    let mut entries = vec![
        (
            "a → b".to_owned(),
            format!("the median of {} and of {}, then the second over the first", other.record.run, record.run),
        ),
        ("=".to_owned(), "the 95 % intervals overlap: no difference can be told".to_owned()),
        (
            "≠".to_owned(),
            "the intervals have nothing in common. The runs were not interleaved: what changed on the machine \
                          between them counts as a difference, too"
                .to_owned(),
        ),
        ("?".to_owned(), "one of them has too few rounds for an interval, or was measured once".to_owned()),
    ];
    let (then, now) = (other.record, record);
    let differs = [
        ("machine", then.host.cpu != now.host.cpu || then.host.cpus != now.host.cpus),
        ("kernel", then.host.kernel != now.host.kernel),
        ("versions", then.versions != now.versions),
        ("commit", then.git_commit != now.git_commit),
        ("load", then.plan.load != now.plan.load),
        ("the generator's waiting", then.calibration.generator_polls != now.calibration.generator_polls),
        ("open-loop rates", then.calibration.open_rate_rps != now.calibration.open_rate_rps),
    ];
    let named: Vec<&str> = differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
    if !named.is_empty() {
        entries.push(("differ".to_owned(), format!("between the runs: {}", named.join(", "))));
    }
    entries
}

/// The columns of the subjects of one service that both runs have.
pub(crate) fn columns(summary: &Summary, other: Other<'_>, subjects: &[Subject]) -> Vec<TextColumn> {
    let found = catalogue::with(|entry| entry.column).filter_map(|(entry, column)| {
        let cells = |summary: &'_ Summary| -> Vec<Option<(Cell, &'static str)>> {
            let of = |subject| {
                let cell = summary.cell(subject, entry.metric, entry.phase)?;
                Some((cell.clone(), if summary.is_lower_bound(cell) { "≥" } else { "" }))
            };
            subjects.iter().map(of).collect()
        };
        text((entry, column), &cells(other.summary), &cells(summary))
    });
    found.collect()
}

/// Of cells, and what stands before their values.
fn text(
    (entry, column): (&Entry, Column),
    then: &[Option<(Cell, &str)>],
    now: &[Option<(Cell, &str)>],
) -> Option<TextColumn> {
    let values = then.iter().zip(now).filter_map(|(then, now)| Some([then.as_ref()?, now.as_ref()?]));
    let least = values.flatten().map(|(cell, _)| cell.value.median).filter(|value| *value > 0.0).reduce(f64::min)?;
    let scale = Scale::of(entry.metric.unit, least);
    let cells = then.iter().zip(now).map(|(then, now)| match (then, now) {
        (Some((then, before_then)), Some((now, before_now))) => TableCell::Whole(vec![
            Piece::new(
                format!(
                    "{before_then}{} → {before_now}{}",
                    scale.number(then.value.median),
                    scale.number(now.value.median)
                ),
                PLAIN,
            ),
            Piece::new(ratio(now.value.median / then.value.median), DIM),
            Stands::of(then, now).sign(),
        ]),
        _ => TableCell::Whole(vec![Piece::new("–", DIM)]),
    });
    let title = format!("{}, {}", column.title, scale.name).trim_end_matches(", ").to_owned();
    Some(TextColumn { section: entry.section.name.to_owned(), title, cells: cells.collect() })
}
