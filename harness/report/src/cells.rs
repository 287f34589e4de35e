//! The text of each cell: figures, what stands for a figure, and marks.

use tare_model::metrics::{KEPT_UP, LATENCY, LOAD_ERRORS, MEMORY_ENGINE, STARTUP_COLD, SUSTAINED_RATE, THROUGHPUT};
use tare_model::{Group, RunRecord, Subject, Unit};
use tare_stats::{Cell, Summary};

use crate::columns::{COLUMNS, Column, Kind};
use crate::format::{Scale, count, number, ratio, spread};
use crate::layout::{Content, TextColumn};
use crate::marks::{Marks, failures};
use crate::paint::{BAD, DIM, MARK, PLAIN, Piece};

/// The share of the generator's ceiling above which it may be the generator that was measured.
const NEAR_CEILING: f64 = 0.8;

/// The phase in which the engine's memory is part of the subject's, see [`MEMORY_ENGINE`].
const PART_OF_SUBJECT: &str = "empty";

/// The columns of the subjects of one service that have anything to show.
pub(crate) fn columns(
    record: &RunRecord,
    summary: &Summary,
    subjects: &[Subject],
    marks: &mut Marks,
) -> Vec<TextColumn> {
    let shown: Vec<&Column> = COLUMNS.iter().filter(|column| is_shown(column, record, summary, subjects)).collect();
    let sections = shown.chunk_by(|a, b| a.section == b.section);
    let mut columns = Vec::new();
    for section in sections {
        let mixed = section.iter().any(|column| column.metric.unit != section[0].metric.unit);
        for column in section {
            let scale = scale(column.metric.unit, section, summary, subjects);
            let with_unit =
                |name: &str, wanted: bool| if wanted { format!("{name}, {}", scale.name) } else { name.into() };
            let view = View { record, summary, column, scale };
            columns.push(TextColumn {
                section: with_unit(column.section, !mixed),
                title: with_unit(column.title, mixed),
                cells: subjects.iter().map(|subject| view.content(subject, marks)).collect(),
            });
        }
    }
    columns
}

fn is_shown(column: &Column, record: &RunRecord, summary: &Summary, subjects: &[Subject]) -> bool {
    let has_value = subjects.iter().any(|subject| find(summary, column, subject).is_some());
    let failed = |subject: &Subject| !failures(&record.failed, subject, Some(column.metric.group)).is_empty();
    has_value
        || column.kind == Kind::Plain && record.plan.only.contains(&column.metric.group) && subjects.iter().any(failed)
}

fn find<'a>(summary: &'a Summary, column: &Column, subject: &Subject) -> Option<&'a Cell> {
    let found = summary.cell(subject, column.metric, column.phase);
    let part =
        || (column.kind == Kind::Engine).then(|| summary.cell(subject, &MEMORY_ENGINE, PART_OF_SUBJECT)).flatten();
    found.or_else(part)
}

/// The scale for the columns of this unit among those of a section: one for all that can be compared.
fn scale(unit: Unit, section: &[&Column], summary: &Summary, subjects: &[Subject]) -> Scale {
    let columns = section.iter().filter(|column| column.metric.unit == unit);
    let cells = columns.flat_map(|column| subjects.iter().filter_map(|subject| find(summary, column, subject)));
    let values = cells.map(|cell| cell.value.median).filter(|value| *value > 0.0);
    Scale::of(unit, values.fold(f64::INFINITY, f64::min))
}

/// What a cell is made from.
struct View<'a> {
    record: &'a RunRecord,
    summary: &'a Summary,
    column: &'a Column,
    scale: Scale,
}

impl View<'_> {
    fn content(&self, subject: &Subject, marks: &mut Marks) -> Content {
        let failed = failures(&self.record.failed, subject, Some(self.column.metric.group));
        let mut texts: Vec<String> = failed.iter().map(|text| marks.mark(text)).collect();
        let Some(cell) = find(self.summary, self.column, subject) else {
            return self.missing(subject, &texts);
        };
        texts.extend(self.doubts(cell).iter().map(|text| marks.mark(text)));
        let is_bound = self.summary.is_lower_bound(cell);
        let value = self.scale.number(cell.value.median);
        let value = match self.column.kind {
            Kind::Engine if cell.phase == PART_OF_SUBJECT => format!("({value})"),
            Kind::Engine => format!("+{value}"),
            Kind::Plain | Kind::Warm | Kind::Partial if is_bound => format!("≥{value}"),
            Kind::Plain | Kind::Warm | Kind::Partial => value,
        };
        let compared = cell.ratio.filter(|_| matches!(self.column.kind, Kind::Plain | Kind::Warm));
        let is_reference = *subject == self.summary.reference.of(&subject.service);
        Content::Figures([
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
    fn missing(&self, subject: &Subject, marks: &[String]) -> Content {
        let applies = matches!(self.column.kind, Kind::Plain | Kind::Warm);
        if applies && !marks.is_empty() {
            return Content::Whole(vec![Piece::new("failed", BAD), Piece::new(marks.join(""), MARK)]);
        }
        let cold = self.column.kind == Kind::Warm && self.summary.cell(subject, &STARTUP_COLD, "total").is_some();
        Content::Whole(vec![Piece::new(if cold { "= cold" } else { "–" }, DIM)])
    }

    /// Why a figure is not to be taken as it stands.
    fn doubts(&self, cell: &Cell) -> Vec<String> {
        let mut doubts = Vec::new();
        if cell.metric == &THROUGHPUT {
            doubts.extend(self.near_ceiling(cell));
            doubts.extend(self.wrong_answers(&cell.subject, "closed", "closed loop"));
        }
        if cell.metric == &LATENCY {
            doubts.extend(self.behind(&cell.subject));
            doubts.extend(self.wrong_answers(&cell.subject, "open", "open loop"));
        }
        if cell.metric == &SUSTAINED_RATE {
            let own = self.summary.cells.iter().filter(|other| other.subject == cell.subject);
            doubts.extend(own.filter(|other| other.metric == &LOAD_ERRORS).filter_map(|other| {
                let rate = other.phase.strip_prefix("ladder@")?;
                self.wrong_answers(&cell.subject, &other.phase, &format!("ladder at {rate} requests/s"))
            }));
        }
        doubts
    }

    fn near_ceiling(&self, cell: &Cell) -> Option<String> {
        let ceiling = self.record.calibration.generator_ceiling_rps?;
        (cell.value.median > NEAR_CEILING * ceiling).then(|| {
            format!(
                "more than {:.0} % of the {} requests/s that the load generator reaches against a server that does \
                 nothing: the generator may be what limits it",
                NEAR_CEILING * 100.0,
                number(ceiling)
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

    fn wrong_answers(&self, subject: &Subject, phase: &str, load: &str) -> Option<String> {
        let most = self.summary.cell(subject, &LOAD_ERRORS, phase)?.value.range.high;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests")]
        let most = most as u64;
        (most > 0).then(|| format!("{subject}: up to {} requests of a round's {load} had no right answer", count(most)))
    }
}

/// The families of metrics that were shown for any subject, with the smallest and the largest number of rounds.
pub(crate) fn rounds(summary: &Summary) -> Vec<(Group, usize, usize)> {
    let of = |group: Group| {
        let shown = |cell: &&Cell| cell.metric.group == group && cell.phase == cell.metric.headline;
        let rounds = summary.cells.iter().filter(shown).map(|cell| cell.value.n);
        Some((group, rounds.clone().min()?, rounds.max()?))
    };
    Group::ALL.iter().filter_map(|group| of(*group)).collect()
}
