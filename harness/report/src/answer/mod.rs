//! The answer in a few sentences, worked out from the samples: who wins what at their best, who with defaults, and where
//! the answer depends on that. It is about sides that were measured, and no others.

mod compare;
mod words;

use tare_model::metrics::THROUGHPUT;
use tare_model::{DEFAULT_IMPLEMENTATION, RunRecord, RunState, Sample, Side, VariantId};
use tare_stats::{Cell, Workload, workloads};

use self::compare::{Answered, answers, best, leaders};
use self::words::{doubt, flips, leading, sentence};
use crate::catalogue;
use crate::cells::Doubts;
use crate::content::Content;
use crate::escape;
use crate::sides::{candidates, default_of};

/// What factors are, for who divides the medians that stand in the tables.
const PAIRED: &str = "Factors are medians of each round's ratio, of one service with their 95 % intervals. The quotient of two medians \
                      in the tables is another figure; on a disturbed machine it may be quite another.";

/// Services with the same choice of variants, of which one answer is given.
struct Comparison<'a> {
    workloads: Vec<Workload<'a>>,
    wasm: Vec<VariantId>,
    containers: Vec<VariantId>,
}

/// The sentences; fewer where less was measured, and none where there is nothing to compare.
pub(crate) fn answer(content: &Content<'_>) -> Vec<String> {
    let Content { record, samples, .. } = *content;
    let comparisons = comparisons(record, samples);
    let is_one = comparisons.len() == 1;
    let (mut all, mut is_paired) = (Vec::new(), false);
    for comparison in &comparisons {
        let about = if is_one { String::new() } else { format!("{}: ", comparison.services()) };
        let (sentences, paired) = comparison.sentences(record, samples);
        all.extend(sentences.into_iter().map(|sentence| escape::line(&format!("{about}{sentence}"))));
        is_paired |= paired;
    }
    if is_paired {
        all.push(PAIRED.to_owned());
    }
    if !all.is_empty() {
        all.extend(caveats(content));
    }
    all
}

/// What must be known before any of the sentences is passed on.
fn caveats(content: &Content<'_>) -> Vec<String> {
    let Content { record, summary, .. } = *content;
    let mut caveats = Vec::new();
    if record.state == RunState::Interrupted {
        caveats.push("This run was interrupted: all of it is of fewer rounds than were planned.".to_owned());
    }
    let doubts = Doubts { record, summary };
    let headline = |cell: &&Cell| cell.metric == &THROUGHPUT && cell.metric.is_headline(&cell.phase);
    let doubted = summary.cells.iter().filter(headline).filter(|cell| !doubts.of(cell).is_empty());
    let doubted: Vec<String> = doubted.map(|cell| escape::line(&cell.subject.to_string())).collect();
    if !doubted.is_empty() {
        caveats.push(format!(
            "The rate of requests of {} is marked: it may not be all that the subject can do, or not all answers were right.",
            doubted.join(", ")
        ));
    }
    match record.warnings.len() {
        0 => {}
        1 => caveats.push("This run has a warning: read it before you rely on a figure.".to_owned()),
        many => caveats.push(format!("This run has {many} warnings: read them before you rely on a figure.")),
    }
    caveats
}

/// The services of a run by the variants that there are of them, in the plan or in the samples.
fn comparisons<'a>(record: &RunRecord, samples: &'a [Sample]) -> Vec<Comparison<'a>> {
    let mut comparisons: Vec<Comparison<'a>> = Vec::new();
    for workload in workloads(samples) {
        let is_there = |id: &VariantId| {
            let subject = workload.subject(id);
            record.plan.subjects.contains(&subject) || samples.iter().any(|sample| sample.subject == subject)
        };
        let (wasm, containers) =
            (candidates(record, Side::Wasm, is_there), candidates(record, Side::Container, is_there));
        let same = comparisons.iter_mut().find(|other| (&other.wasm, &other.containers) == (&wasm, &containers));
        match same {
            Some(comparison) => comparison.workloads.push(workload),
            None => comparisons.push(Comparison { workloads: vec![workload], wasm, containers }),
        }
    }
    comparisons
}

impl Comparison<'_> {
    fn services(&self) -> String {
        let name = |workload: &Workload<'_>| match workload.implementation {
            DEFAULT_IMPLEMENTATION => workload.service.to_owned(),
            implementation => format!("{} ({implementation})", workload.service),
        };
        self.workloads.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// What is to be said of them, and whether there are factors of paired rounds in it.
    fn sentences(&self, record: &RunRecord, samples: &[Sample]) -> (Vec<String>, bool) {
        let Self { workloads, wasm, containers } = self;
        let at_best = answers(samples, workloads, |entry| {
            let best = |variants| best(samples, workloads, entry, variants);
            Some((best(wasm)?.clone(), best(containers)?.clone()))
        });
        let defaults =
            self.default_of(record, samples, Side::Wasm).zip(self.default_of(record, samples, Side::Container));
        let usual = answers(samples, workloads, |_| defaults.clone());
        if at_best.is_empty() && usual.is_empty() {
            return (self.of_one_side(record, samples).into_iter().collect(), false);
        }
        let mut sentences = Vec::new();
        sentences.extend(sentence("At their best, figure by figure,", &at_best, true));
        // Where there is no choice, it would say the same once more.
        let is_same = |one: &Answered| defaults.as_ref() == Some(&one.pair);
        let mut answered: Vec<&Answered> = at_best.iter().collect();
        if let Some((wasm, container)) = defaults.as_ref().filter(|_| !at_best.iter().all(is_same)) {
            sentences.extend(sentence(&format!("With defaults ({wasm} against {container}),"), &usual, false));
            sentences.extend(flips(&at_best, &usual));
            answered.extend(&usual);
        }
        sentences.extend(doubt(answered.iter().copied()));
        let is_paired = answered.iter().any(|found| found.paired);
        (sentences, is_paired)
    }

    /// What the defaults of a side give, of what was measured.
    fn default_of(&self, record: &RunRecord, samples: &[Sample], side: Side) -> Option<VariantId> {
        default_of(record, side, |id| self.workloads.iter().any(|workload| is_measured(samples, workload, id)))
    }

    /// Which variants are best where only one side was measured; `None` where both were, or neither.
    fn of_one_side(&self, record: &RunRecord, samples: &[Sample]) -> Option<String> {
        let is_there = |side: Side| {
            let of_group = |sample: &&Sample| {
                let subject = &sample.subject;
                self.workloads
                    .iter()
                    .any(|of| (of.service, of.implementation) == (&subject.service, &subject.implementation))
            };
            samples.iter().filter(of_group).any(|sample| record.side(&sample.subject) == Some(side))
        };
        let (when, variants) = match (is_there(Side::Wasm), is_there(Side::Container)) {
            (true, false) => ("Of the variants of components,", &self.wasm),
            (false, true) => ("Of the variants of containers,", &self.containers),
            _ => return None,
        };
        let found: Vec<_> = catalogue::with(|entry| entry.question)
            .filter_map(|(entry, question)| Some((leaders(samples, &self.workloads, entry, variants)?, question.best)))
            .collect();
        leading(when, &found)
    }
}

fn is_measured(samples: &[Sample], workload: &Workload<'_>, id: &VariantId) -> bool {
    let subject = workload.subject(id);
    samples.iter().any(|sample| sample.subject == subject)
}
