//! The answer in three sentences, worked out from the samples: who wins what at their best, who with defaults, and
//! where the answer depends on that.

use tare_model::metrics::{MEMORY_ENGINE, MEMORY_PER_INSTANCE, MEMORY_PSS, SIZE, STARTUP_COLD, THROUGHPUT};
use tare_model::{Better, Metric, Sample, Subject};
use tare_stats::{Estimate, median, paired_sums, services, sums};

use crate::format::number;

/// Whom the answer is about: settings (`platform/variant`) of the two sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sides {
    /// Of which each question takes the best: of Wasm and of containers, in the order in which equals are preferred.
    pub best_of: (Vec<String>, Vec<String>),
    /// What their defaults give: of Wasm and of containers.
    pub usual: (String, String),
}

/// By how much of the best a setting may be worse and still count as its equal: which of two is named must not hang on noise.
const EQUAL: f64 = 1.03;

/// What is compared, and what winning it means: `{}` is a factor.
struct Question {
    metrics: &'static [(&'static Metric, &'static str)],
    better: Better,
    wins: &'static str,
    called: &'static str,
}

const QUESTIONS: &[Question] = &[
    Question {
        metrics: &[(&SIZE, "artifact")],
        better: Better::Lower,
        wins: "ships {} times fewer bytes",
        called: "the bytes shipped",
    },
    Question {
        metrics: &[(&STARTUP_COLD, "total")],
        better: Better::Lower,
        wins: "starts {} times sooner",
        called: "the start",
    },
    Question {
        metrics: &[(&MEMORY_PSS, "idle"), (&MEMORY_ENGINE, "idle")],
        better: Better::Lower,
        wins: "takes {} times less memory when idle",
        called: "idle memory",
    },
    Question {
        metrics: &[(&MEMORY_PER_INSTANCE, "total")],
        better: Better::Lower,
        wins: "takes {} times less memory for each further instance",
        called: "memory of a further instance",
    },
    Question {
        metrics: &[(&THROUGHPUT, "closed")],
        better: Better::Higher,
        wins: "answers {} times as many requests",
        called: "throughput",
    },
];

/// How a question was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Winner {
    Wasm,
    Container,
    /// The services disagree, or an interval has both.
    Nobody,
}

/// A question and its answer on one pair of settings.
struct Answered {
    question: &'static Question,
    /// Of Wasm and of the container.
    pair: (String, String),
    winner: Winner,
    /// By which factor, over the services.
    factors: (f64, f64),
    /// Whether every service has enough rounds for an interval, or needs none.
    sure: bool,
}

/// The sentences; fewer where less was measured.
pub fn answer(samples: &[Sample], sides: &Sides) -> Vec<String> {
    let (wasm, containers) = &sides.best_of;
    let best = answers(samples, |question| {
        Some((best(samples, question, wasm)?.to_owned(), best(samples, question, containers)?.to_owned()))
    });
    let usual = answers(samples, |_| Some(sides.usual.clone()));
    let mut sentences = Vec::new();
    sentences.extend(sentence("At their best, figure by figure,", &best, true));
    let (wasm, container) = &sides.usual;
    sentences.extend(sentence(&format!("With defaults ({wasm} against {container}),"), &usual, false));
    sentences.extend(flips(&best, &usual));
    sentences
}

fn subject(service: &str, setting: &str) -> Option<Subject> {
    let (platform, variant) = setting.split_once('/')?;
    Some(Subject::new(service, platform, variant))
}

/// The setting that answers a question best: by the product of its medians over all services that any of them was measured
/// on, so that no service counts more for its larger figures.
fn best<'a>(samples: &[Sample], question: &Question, settings: &'a [String]) -> Option<&'a str> {
    let of = |setting: &str| -> Vec<f64> {
        let value = |service: &&str| {
            let rounds = sums(samples, &subject(service, setting)?, question.metrics);
            median(&rounds.into_values().collect::<Vec<_>>())
        };
        services(samples).iter().filter_map(value).collect()
    };
    let found: Vec<(&String, Vec<f64>)> = settings.iter().map(|setting| (setting, of(setting))).collect();
    let most = found.iter().map(|(_, values)| values.len()).max().filter(|most| *most > 0)?;
    // The geometric mean over the services, turned so that less is better.
    let cost = |values: &[f64]| {
        let mean = (values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp();
        if question.better == Better::Lower { mean } else { 1.0 / mean }
    };
    let costs: Vec<(&String, f64)> = found
        .iter()
        .filter(|(_, values)| values.len() == most)
        .map(|(setting, values)| (*setting, cost(values)))
        .collect();
    let least = costs.iter().map(|(_, cost)| *cost).reduce(f64::min)?;
    costs.into_iter().find(|(_, cost)| *cost <= least * EQUAL).map(|(setting, _)| setting.as_str())
}

/// The questions of which something was measured.
fn answers(samples: &[Sample], pair_of: impl Fn(&Question) -> Option<(String, String)>) -> Vec<Answered> {
    let services = services(samples);
    let found = QUESTIONS.iter().filter_map(|question| {
        let pair = pair_of(question)?;
        let of = |service: &&str| {
            paired_sums(samples, &subject(service, &pair.0)?, &subject(service, &pair.1)?, question.metrics)
        };
        let ratios: Vec<Estimate> = services.iter().filter_map(of).collect();
        let exact = question.metrics[0].0 == &SIZE;
        let winners: Vec<Winner> = ratios.iter().map(|ratio| winner(ratio, question.better)).collect();
        let first = *winners.first()?;
        let winner = if winners.iter().all(|winner| *winner == first) { first } else { Winner::Nobody };
        let factors = ratios.iter().map(|ratio| ratio.median.max(1.0 / ratio.median));
        let factors = factors.fold((f64::INFINITY, 0.0_f64), |(low, high), factor| (low.min(factor), high.max(factor)));
        let sure = exact || ratios.iter().all(|ratio| ratio.interval.is_some());
        Some(Answered { question, pair, winner, factors, sure })
    });
    found.collect()
}

/// Who is better by a ratio of Wasm over the container; nobody where its interval (or range, for too few rounds) has 1.
fn winner(ratio: &Estimate, better: Better) -> Winner {
    let within = ratio.interval.unwrap_or(ratio.range);
    match (within.high < 1.0, within.low > 1.0, better) {
        (true, _, Better::Lower) | (_, true, Better::Higher) => Winner::Wasm,
        (true, _, Better::Higher) | (_, true, Better::Lower) => Winner::Container,
        (false, false, _) => Winner::Nobody,
    }
}

/// A sentence that names the winner of each question, and where `pairs` is set, between whom.
fn sentence(when: &str, answered: &[Answered], pairs: bool) -> Option<String> {
    let of = |winner: Winner| answered.iter().filter(move |found| found.winner == winner);
    let between = |Answered { pair: (wasm, container), winner, .. }: &Answered| match (pairs, winner) {
        (false, _) => String::new(),
        (true, Winner::Container) => format!(" ({container} against {wasm})"),
        (true, _) => format!(" ({wasm} against {container})"),
    };
    let called = |found: &Answered| found.question.called.to_owned();
    let mut parts = Vec::new();
    for (side, winner) in [("Wasm", Winner::Wasm), ("the container", Winner::Container)] {
        let wins: Vec<String> = of(winner)
            .map(|found| found.question.wins.replace("{}", &factor(found.factors)) + &between(found))
            .collect();
        if !wins.is_empty() {
            parts.push(format!("{side} {}", and(&wins)));
        }
    }
    let level: Vec<String> = of(Winner::Nobody).map(|found| called(found) + &between(found)).collect();
    if !level.is_empty() {
        parts.push(format!("{} cannot be told apart on all services", and(&level)));
    }
    let few: Vec<String> = answered.iter().filter(|found| !found.sure).map(called).collect();
    let doubt = if few.is_empty() { String::new() } else { format!(" Too few rounds for an interval: {}.", and(&few)) };
    (!parts.is_empty()).then(|| format!("{when} {}.{doubt}", parts.join("; ")))
}

fn flips(best: &[Answered], usual: &[Answered]) -> Option<String> {
    let pairs: Vec<(&Answered, &Answered)> = best
        .iter()
        .filter_map(|one| Some((one, usual.iter().find(|other| other.question.called == one.question.called)?)))
        .collect();
    let flipped: Vec<String> = pairs
        .iter()
        .filter(|(one, other)| one.winner != other.winner)
        .map(|(one, other)| {
            format!("{} ({} at best, {} with defaults)", one.question.called, name(one.winner), name(other.winner))
        })
        .collect();
    let same: Vec<String> = pairs
        .iter()
        .filter(|(one, other)| one.winner == other.winner && one.winner != Winner::Nobody)
        .map(|(one, _)| one.question.called.to_owned())
        .collect();
    match (flipped.is_empty(), same.is_empty()) {
        (true, true) => None,
        (true, false) => Some(format!("The winner is the same whichever pair is compared: {}.", and(&same))),
        (false, true) => Some(format!("Which pair is compared decides who wins: {}.", and(&flipped))),
        (false, false) => Some(format!(
            "Which pair is compared decides who wins {}; it makes no difference for {}.",
            and(&flipped),
            and(&same)
        )),
    }
}

fn name(winner: Winner) -> &'static str {
    match winner {
        Winner::Wasm => "Wasm",
        Winner::Container => "the container",
        Winner::Nobody => "nobody",
    }
}

fn factor((low, high): (f64, f64)) -> String {
    let (low, high) = (number(low), number(high));
    if low == high { low } else { format!("{low} to {high}") }
}

fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
