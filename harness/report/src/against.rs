//! This run against another.

use tare_model::{Change, ComparedRow, ComparedValue, Comparison, RunRecord, Subject};
use tare_stats::{Cell, Summary, change, within};

use crate::catalogue::{self, Column, Entry};
use crate::content::{Content, Other};
use crate::escape;
use crate::format::{Scale, ratio};
use crate::layout::{TableCell, TextColumn};
use crate::paint::{BAD, DIM, PLAIN, Piece};
use crate::subjects::services;

/// A subject's cell in the other run and in this one, each where there is one, and what became of it.
struct Pair<'a> {
    from: Option<&'a Cell>,
    to: Option<&'a Cell>,
    verdict: Change,
}

/// What is compared of the subjects of a service: a figure, and a pair for each subject.
type Compared<'a> = (&'static Entry, Column, Vec<Pair<'a>>);

/// The comparison with the other run as data: the cells that the tables have. `None` where there is no other run.
pub fn comparison(content: &Content<'_>) -> Option<Comparison> {
    let other = content.against?;
    let services = services(content.record, content.summary);
    let cells = services.iter().flat_map(|service| {
        let compared = compared(content, other, &service.subjects);
        let rows = compared.into_iter().flat_map(|(entry, _, pairs)| {
            let pairs = service.subjects.iter().zip(pairs).filter(|(_, pair)| pair.from.is_some() || pair.to.is_some());
            pairs
                .map(|(subject, pair)| row(content.summary, other.summary, (entry, subject), &pair))
                .collect::<Vec<_>>()
        });
        rows.collect::<Vec<_>>()
    });
    let cells = cells.collect();
    Some(Comparison { other: other.record.run.clone(), differ: differ(content.record, other.record), cells })
}

fn row(to: &Summary, from: &Summary, (entry, subject): (&Entry, &Subject), pair: &Pair<'_>) -> ComparedRow {
    let Subject { service, implementation, platform, variant } = subject.clone();
    let value = |summary: &Summary, cell: &Cell| {
        let interval = within((summary, cell));
        ComparedValue {
            n: cell.value.n,
            median: cell.value.median,
            ci_low: interval.map(|interval| interval.low),
            ci_high: interval.map(|interval| interval.high).filter(|high| high.is_finite()),
            at_least: summary.is_lower_bound(cell),
        }
    };
    let medians = pair.from.zip(pair.to).map(|(from, to)| (from.value.median, to.value.median));
    ComparedRow {
        service,
        implementation,
        platform,
        variant,
        metric: entry.metric.name,
        phase: entry.phase,
        unit: entry.metric.unit,
        better: entry.metric.better,
        from: pair.from.map(|cell| value(from, cell)),
        to: pair.to.map(|cell| value(to, cell)),
        ratio: medians.filter(|(from, _)| *from > 0.0).map(|(from, to)| to / from),
        verdict: pair.verdict,
    }
}

/// The figures of subjects of one service that any of them has in both runs.
fn compared<'a>(content: &Content<'a>, other: Other<'a>, subjects: &[Subject]) -> Vec<Compared<'a>> {
    let precision = precision(content.record, other.record);
    let pair = |entry: &Entry, subject: &Subject| {
        let of = |summary: &'a Summary| summary.cell(subject, entry.metric, entry.phase);
        let (from, to) = (of(other.summary), of(content.summary));
        let verdict = match from.zip(to) {
            Some((from, to)) => change((other.summary, from), (content.summary, to), precision),
            None => Change::Inconclusive,
        };
        Pair { from, to, verdict }
    };
    let all = catalogue::with(|entry| entry.column).map(|(entry, column)| {
        let pairs: Vec<Pair<'a>> = subjects.iter().map(|subject| pair(entry, subject)).collect();
        (entry, column, pairs)
    });
    all.filter(|(_, _, pairs)| least(pairs).is_some()).collect()
}

/// How near to its median an interval lies that tells of no difference: what either run wanted of its own.
fn precision(record: &RunRecord, other: &RunRecord) -> f64 {
    record.plan.precision.max(other.plan.precision)
}

/// The smallest value above zero of what both runs have.
fn least(pairs: &[Pair<'_>]) -> Option<f64> {
    let both = pairs.iter().filter_map(|pair| Some([pair.from?, pair.to?]));
    both.flatten().map(|cell| cell.value.median).filter(|value| *value > 0.0).reduce(f64::min)
}

/// What else is different between the runs.
fn differ(now: &RunRecord, then: &RunRecord) -> Vec<&'static str> {
    let differs = [
        ("machine", then.host.cpu != now.host.cpu || then.host.cpus != now.host.cpus),
        ("kernel", then.host.kernel != now.host.kernel),
        ("versions", then.versions != now.versions),
        ("commit", then.git_commit != now.git_commit),
        ("load", then.plan.load != now.plan.load),
        ("the generator's waiting", then.calibration.generator_polls != now.calibration.generator_polls),
        ("open-loop rates", then.calibration.open_rate_rps != now.calibration.open_rate_rps),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// The word or sign of a verdict.
fn sign(verdict: Change) -> Piece {
    match verdict {
        Change::Regressed => Piece::new("worse", BAD),
        Change::Improved => Piece::new("better", PLAIN),
        Change::Unchanged => Piece::new("=", DIM),
        Change::Inconclusive => Piece::new("?", DIM),
    }
}

/// What the words mean, and what else is different between the runs.
pub(crate) fn explained(record: &RunRecord, other: Other<'_>) -> Vec<(String, String)> {
    let medians = format!(
        "the median of {} and of {}, then the second over the first; nothing is paired, as the runs were not interleaved",
        other.record.run, record.run
    );
    let unchanged = format!(
        "unchanged: the intervals overlap and reach no further than {:.0} % from their medians, or the medians differ by less \
         than half a percent",
        precision(record, other.record) * 100.0
    );
    let common = |subject: &&Subject| other.record.plan.subjects.contains(subject);
    if !record.plan.subjects.iter().any(|subject| common(&subject)) {
        let named = |record: &RunRecord| {
            record.plan.subjects.iter().map(|subject| escape::line(&subject.to_string())).collect::<Vec<_>>().join(", ")
        };
        let says = format!("the two runs have no subject in common: {}; and {}", named(other.record), named(record));
        return vec![("–".to_owned(), says)];
    }
    let mut entries = vec![
        ("a → b".to_owned(), medians),
        (
            "worse".into(),
            "regressed: the 95 % intervals have nothing in common (sizes, which are exact, differ). What changed on the machine \
             between the runs counts, too"
                .into(),
        ),
        ("better".into(), "improved: the same the other way round".into()),
        ("=".into(), unchanged),
        ("?".into(), "inconclusive: the intervals overlap and are wider, or one has too few rounds for an interval".into()),
    ];
    let differ = differ(record, other.record);
    if !differ.is_empty() {
        entries.push(("differ".to_owned(), format!("between the runs: {}", differ.join(", "))));
    }
    entries
}

/// The columns of the subjects of one service that both runs have.
pub(crate) fn columns(content: &Content<'_>, other: Other<'_>, subjects: &[Subject]) -> Vec<TextColumn> {
    let compared = compared(content, other, subjects);
    compared.iter().filter_map(|compared| text(content.summary, other.summary, compared)).collect()
}

fn text(to: &Summary, from: &Summary, (entry, column, pairs): &Compared<'_>) -> Option<TextColumn> {
    let scale = Scale::of(entry.metric.unit, least(pairs)?);
    let number = |summary: &Summary, cell: &Cell| {
        let bound = if summary.is_lower_bound(cell) { "≥" } else { "" };
        format!("{bound}{}", scale.number(cell.value.median))
    };
    let cells = pairs.iter().map(|pair| match (pair.from, pair.to) {
        (Some(then), Some(now)) => TableCell::Whole(vec![
            Piece::new(format!("{} → {}", number(from, then), number(to, now)), PLAIN),
            Piece::new(ratio(now.value.median / then.value.median), DIM),
            sign(pair.verdict),
        ]),
        _ => TableCell::Whole(vec![Piece::new("–", DIM)]),
    });
    let title = format!("{}, {}", column.title, scale.name).trim_end_matches(", ").to_owned();
    Some(TextColumn { section: entry.section.name.to_owned(), title, cells: cells.collect() })
}
