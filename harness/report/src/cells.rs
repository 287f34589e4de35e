//! The text of each cell: figures, what stands for a figure, and marks.

use tare_model::metrics::{KEPT_UP, LATENCY, LOAD_ERRORS, STARTUP_COLD, SUSTAINED_RATE, THROUGHPUT};
use tare_model::{Group, Phase, RunRecord, Subject, Unit};
use tare_stats::{Cell, Summary};

use crate::catalogue::{self, CellKind, Column, Entry};
use crate::format::{Scale, count, number, ratio, spread};
use crate::layout::{TableCell, TextColumn};
use crate::marks::{Marks, failures};
use crate::paint::{BAD, DIM, MARK, PLAIN, Piece};

/// The share of the generator's ceiling above which it may be the generator that was measured.
const NEAR_CEILING: f64 = 0.8;

/// The columns of the subjects of one service that have anything to show, each with its entry.
pub(crate) fn columns(
    record: &RunRecord,
    summary: &Summary,
    subjects: &[Subject],
    marks: &mut Marks,
) -> Vec<(&'static Entry, TextColumn)> {
    let all = catalogue::with(|entry| entry.column).map(|(entry, column)| Figure { record, summary, entry, column });
    let shown: Vec<Figure<'_>> = all.filter(|figure| figure.is_shown(subjects)).collect();
    let mut columns = Vec::new();
    for section in shown.chunk_by(|a, b| a.entry.section.name == b.entry.section.name) {
        let mixed = section.iter().any(|figure| figure.entry.metric.unit != section[0].entry.metric.unit);
        for figure in section {
            let scale = scale(figure.entry.metric.unit, section, subjects);
            let with_unit =
                |name: &str, wanted: bool| if wanted { format!("{name}, {}", scale.name) } else { name.into() };
            let text = TextColumn {
                section: with_unit(figure.entry.section.name, !mixed),
                title: with_unit(figure.column.title, mixed),
                cells: subjects.iter().map(|subject| figure.content(subject, scale, marks)).collect(),
            };
            columns.push((figure.entry, text));
        }
    }
    columns
}

/// The scale for the columns of this unit among those of a section: one for all that can be compared.
fn scale(unit: Unit, section: &[Figure<'_>], subjects: &[Subject]) -> Scale {
    let columns = section.iter().filter(|figure| figure.entry.metric.unit == unit);
    let cells = columns.flat_map(|figure| subjects.iter().filter_map(|subject| figure.find(subject)));
    let values = cells.map(|cell| cell.value.median).filter(|value| *value > 0.0);
    Scale::of(unit, values.fold(f64::INFINITY, f64::min))
}

/// What the cells of a column are made from.
struct Figure<'a> {
    record: &'a RunRecord,
    summary: &'a Summary,
    entry: &'static Entry,
    column: Column,
}

impl<'a> Figure<'a> {
    fn is_shown(&self, subjects: &[Subject]) -> bool {
        let group = self.entry.metric.group;
        let failed = |subject: &Subject| !failures(&self.record.failed, subject, Some(group)).is_empty();
        let is_for_all = self.column.kind == CellKind::Plain && self.record.plan.only.contains(&group);
        subjects.iter().any(|subject| self.find(subject).is_some()) || is_for_all && subjects.iter().any(failed)
    }

    fn find(&self, subject: &Subject) -> Option<&'a Cell> {
        let of = |phase: &str| self.summary.cell(subject, self.entry.metric, phase);
        of(self.entry.phase).or_else(|| match self.column.kind {
            CellKind::Engine { within } => of(within),
            CellKind::Plain | CellKind::Warm | CellKind::Partial => None,
        })
    }

    fn content(&self, subject: &Subject, scale: Scale, marks: &mut Marks) -> TableCell {
        let failed = failures(&self.record.failed, subject, Some(self.entry.metric.group));
        let mut texts: Vec<String> = failed.iter().map(|text| marks.mark(text)).collect();
        let Some(cell) = self.find(subject) else {
            return self.missing(subject, &texts);
        };
        let doubts = Doubts { record: self.record, summary: self.summary };
        texts.extend(doubts.of(cell).iter().map(|text| marks.mark(text)));
        let is_bound = self.summary.is_lower_bound(cell);
        let value = scale.number(cell.value.median);
        let value = match self.column.kind {
            CellKind::Engine { within } if cell.phase == within => format!("({value})"),
            CellKind::Engine { .. } => format!("+{value}"),
            CellKind::Plain | CellKind::Warm | CellKind::Partial if is_bound => format!("≥{value}"),
            CellKind::Plain | CellKind::Warm | CellKind::Partial => value,
        };
        let compared = cell.ratio.filter(|_| matches!(self.column.kind, CellKind::Plain | CellKind::Warm));
        let is_reference = self.summary.reference.is(subject);
        TableCell::Figures([
            Piece::new(value, PLAIN),
            Piece::new(if is_bound { String::new() } else { spread(&cell.value) }, DIM),
            match compared {
                Some(_) if is_reference => Piece::new("1×", DIM),
                Some(found) => Piece::new(ratio(found.median), PLAIN),
                None => Piece::default(),
            },
            Piece::new(compared.filter(|_| !is_reference).map_or_else(String::new, |found| spread(&found)), DIM),
            Piece::new(texts.join(""), MARK),
        ])
    }

    /// What stands where there is no figure.
    fn missing(&self, subject: &Subject, marks: &[String]) -> TableCell {
        let applies = matches!(self.column.kind, CellKind::Plain | CellKind::Warm);
        if applies && !marks.is_empty() {
            return TableCell::Whole(vec![Piece::new("failed", BAD), Piece::new(marks.join(""), MARK)]);
        }
        let cold = self.column.kind == CellKind::Warm && self.summary.cell(subject, &STARTUP_COLD, "total").is_some();
        TableCell::Whole(vec![Piece::new(if cold { "= cold" } else { "–" }, DIM)])
    }
}

/// What tells which figures are not to be taken as they stand.
pub(crate) struct Doubts<'a> {
    pub record: &'a RunRecord,
    pub summary: &'a Summary,
}

impl Doubts<'_> {
    /// Why a figure is not to be taken as it stands.
    pub(crate) fn of(&self, cell: &Cell) -> Vec<String> {
        let mut doubts = Vec::new();
        if cell.metric == &THROUGHPUT {
            doubts.extend(self.near_ceiling(cell));
            doubts.extend(self.wrong_answers(&cell.subject, &"closed".into(), "closed loop"));
        }
        if cell.metric == &LATENCY {
            doubts.extend(self.behind(&cell.subject));
            doubts.extend(self.wrong_answers(&cell.subject, &"open".into(), "open loop"));
        }
        if cell.metric == &SUSTAINED_RATE {
            let own = self.summary.cells.iter().filter(|other| other.subject == cell.subject);
            doubts.extend(own.filter(|other| other.metric == &LOAD_ERRORS).filter_map(|other| {
                let rate = other.phase.at.filter(|_| other.phase.name == "sweep")?;
                self.wrong_answers(&cell.subject, &other.phase, &format!("sweep at {} requests/s", number(rate)))
            }));
        }
        doubts
    }

    fn near_ceiling(&self, cell: &Cell) -> Option<String> {
        let ceiling = self.record.calibration.generator_ceiling_rps?;
        let reached = number(ceiling);
        // A ceiling that a subject has reached itself is as much as that, but for what files round.
        if cell.value.median > ceiling * 1.001 {
            return Some(format!(
                "more than the {reached} requests/s that the load generator reached against a server that does nothing, so \
                 that was disturbed when it was measured: the generator may be what limits this figure"
            ));
        }
        (cell.value.median > NEAR_CEILING * ceiling).then(|| {
            format!(
                "more than {:.0} % of the {reached} requests/s that the load generator reaches against a server that does \
                 nothing: the generator may be what limits it",
                NEAR_CEILING * 100.0,
            )
        })
    }

    fn behind(&self, subject: &Subject) -> Option<String> {
        let offered = self.record.open_rate_rps(subject)?;
        let answered = self.summary.cell(subject, &THROUGHPUT, "open")?.value.median;
        (answered < KEPT_UP * offered).then(|| {
            let (answered, offered) = (number(answered), number(offered));
            format!(
                "{subject} answered {answered} of the {offered} requests/s sent: the latency is that of a growing queue"
            )
        })
    }

    fn wrong_answers(&self, subject: &Subject, phase: &Phase, load: &str) -> Option<String> {
        let most = self.summary.cell(subject, &LOAD_ERRORS, phase)?.value.range.high;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests")]
        let most = most as u64;
        (most > 0).then(|| format!("{subject}: up to {} requests of a round's {load} had no right answer", count(most)))
    }
}

/// The families of metrics that were shown for any subject, with the smallest and the largest number of rounds.
pub(crate) fn rounds(summary: &Summary) -> Vec<(Group, usize, usize)> {
    let of = |group: Group| {
        let shown = |cell: &&Cell| cell.metric.group == group && cell.metric.is_headline(&cell.phase);
        let rounds = summary.cells.iter().filter(shown).map(|cell| cell.value.n);
        Some((group, rounds.clone().min()?, rounds.max()?))
    };
    Group::ALL.iter().filter_map(|group| of(*group)).collect()
}
