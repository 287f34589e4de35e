//! Who is better by how much, worked out from samples.

use tare_model::{Better, Interval, Sample, VariantId};
use tare_stats::{Estimate, Workload, median, paired_sums, sums};

use crate::catalogue::{self, Entry, Question};

/// By how much of the best a variant may be worse and still count as its equal: which of two is named must not hang on noise.
const EQUAL: f64 = 1.03;

/// How a question was answered on a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Winner {
    /// The first of the pair.
    First,
    /// The second.
    Second,
    /// The services disagree, or an interval has both.
    Undecided,
}

/// A question and its answer on one pair of variants.
pub(super) struct Answered {
    pub question: Question,
    /// Of Wasm and of the container.
    pub pair: (VariantId, VariantId),
    pub winner: Winner,
    /// On how many services and implementations.
    pub services: usize,
    /// By which factor: the least and the most of the services.
    pub factors: (f64, f64),
    /// The 95 % interval of the factor; `None` where there are several, or too few rounds.
    pub interval: Option<Interval>,
    /// Whether every service has enough rounds for an interval, or needs none.
    pub sure: bool,
    /// Whether the factors are medians over rounds.
    pub paired: bool,
}

/// The variant that answers a question best: by the product of its medians over all services that any of them was measured
/// on, so that no service counts more for its larger figures.
pub(super) fn best<'a>(
    samples: &[Sample],
    workloads: &[Workload<'_>],
    entry: &Entry,
    variants: &'a [VariantId],
) -> Option<&'a VariantId> {
    let of = |id: &VariantId| -> Vec<f64> {
        let value = |workload: &Workload<'_>| {
            let rounds = sums(samples, &workload.subject(id), &entry.sum());
            median(&rounds.into_values().collect::<Vec<_>>())
        };
        workloads.iter().filter_map(value).collect()
    };
    let found: Vec<(&VariantId, Vec<f64>)> = variants.iter().map(|id| (id, of(id))).collect();
    let most = found.iter().map(|(_, values)| values.len()).max().filter(|most| *most > 0)?;
    // The geometric mean over the services, turned so that less is better.
    let cost = |values: &[f64]| {
        let mean = (values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp();
        if entry.metric.better == Better::Lower { mean } else { 1.0 / mean }
    };
    let whole = found.iter().filter(|(_, values)| values.len() == most);
    let costs: Vec<(&VariantId, f64)> = whole.map(|(id, values)| (*id, cost(values))).collect();
    let least = costs.iter().map(|(_, cost)| *cost).reduce(f64::min)?;
    costs.into_iter().find(|(_, cost)| *cost <= least * EQUAL).map(|(id, _)| id)
}

/// The questions of which something was measured on a pair of Wasm and the container.
pub(super) fn answers(
    samples: &[Sample],
    workloads: &[Workload<'_>],
    pair_of: impl Fn(&Entry) -> Option<(VariantId, VariantId)>,
) -> Vec<Answered> {
    let found = catalogue::with(|entry| entry.question).filter_map(|(entry, question)| {
        let pair = pair_of(entry)?;
        let ratios = ratios(samples, workloads, entry, (&pair.0, &pair.1));
        let winners: Vec<Winner> = ratios.iter().map(|ratio| winner(ratio, entry.metric.better)).collect();
        let first = *winners.first()?;
        let winner = if winners.iter().all(|winner| *winner == first) { first } else { Winner::Undecided };
        let interval = match &ratios[..] {
            [only] if !entry.is_exact() => only.interval.map(|interval| turned(interval, only.median < 1.0)),
            _ => None,
        };
        let factors = ratios.iter().map(|ratio| ratio.median.max(1.0 / ratio.median));
        let factors = factors.fold((f64::INFINITY, 0.0_f64), |(low, high), factor| (low.min(factor), high.max(factor)));
        let sure = entry.is_exact() || ratios.iter().all(|ratio| ratio.interval.is_some());
        let paired = !entry.is_exact() && winner != Winner::Undecided;
        Some(Answered { question, pair, winner, services: ratios.len(), factors, interval, sure, paired })
    });
    found.collect()
}

/// The interval of a ratio, or of the ratio the other way round.
fn turned(interval: Interval, turn: bool) -> Interval {
    if turn { Interval { low: 1.0 / interval.high, high: 1.0 / interval.low } } else { interval }
}

/// Of variants of one side, the best and those that cannot be told from it; `None` where fewer than two were measured, or
/// none of them stands out.
pub(super) fn leaders<'a>(
    samples: &[Sample],
    workloads: &[Workload<'_>],
    entry: &Entry,
    variants: &'a [VariantId],
) -> Option<Vec<&'a VariantId>> {
    let best = best(samples, workloads, entry, variants)?;
    let mut leaders = vec![best];
    let mut others = 0_usize;
    for other in variants.iter().filter(|other| *other != best) {
        let ratios = ratios(samples, workloads, entry, (best, other));
        if ratios.is_empty() {
            continue;
        }
        others += 1;
        if ratios.iter().any(|ratio| winner(ratio, entry.metric.better) != Winner::First) {
            leaders.push(other);
        }
    }
    (leaders.len() <= others).then_some(leaders)
}

/// The ratio of a pair on each service that has both.
fn ratios(
    samples: &[Sample],
    workloads: &[Workload<'_>],
    entry: &Entry,
    (of, over): (&VariantId, &VariantId),
) -> Vec<Estimate> {
    let ratio =
        |workload: &Workload<'_>| paired_sums(samples, &workload.subject(of), &workload.subject(over), &entry.sum());
    workloads.iter().filter_map(ratio).collect()
}

/// Which of a pair is better by the ratio of the first over the second; undecided where its interval (or range, for too few rounds) has 1.
fn winner(ratio: &Estimate, better: Better) -> Winner {
    let within = ratio.interval.unwrap_or(ratio.range);
    match (within.high < 1.0, within.low > 1.0, better) {
        (true, _, Better::Lower) | (_, true, Better::Higher) => Winner::First,
        (true, _, Better::Higher) | (_, true, Better::Lower) => Winner::Second,
        (false, false, _) => Winner::Undecided,
    }
}
