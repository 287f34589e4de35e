//! The answer in three sentences, worked out from the samples: who wins what at their best, who as usually shipped, and
//! where the answer depends on that.

use tare_model::metrics::{MEMORY_ENGINE, MEMORY_PER_INSTANCE, MEMORY_PSS, SIZE, STARTUP_COLD, THROUGHPUT};
use tare_model::{Better, Metric, Sample, Subject};
use tare_stats::{Estimate, paired_sums, services};

use crate::format::number;

/// Whom the answer is about: settings (`platform/variant`) of the two sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sides {
    /// The best of Wasm and of containers.
    pub best: (String, String),
    /// What is usually shipped of both.
    pub usual: (String, String),
}

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

/// A question and its answer on one pair of subjects.
struct Answered<'a> {
    question: &'a Question,
    winner: Winner,
    /// By which factor, over the services.
    factors: (f64, f64),
    /// Whether every service has enough rounds for an interval, or needs none.
    sure: bool,
}

/// The sentences; fewer where less was measured.
pub fn answer(samples: &[Sample], sides: &Sides) -> Vec<String> {
    let [best, usual] = [&sides.best, &sides.usual].map(|pair| answers(samples, pair));
    let mut sentences = Vec::new();
    sentences.extend(sentence("At their best", &sides.best, &best));
    sentences.extend(sentence("As usually shipped", &sides.usual, &usual));
    sentences.extend(flips(&best, &usual));
    sentences
}

fn answers(samples: &[Sample], (wasm, container): &(String, String)) -> Vec<Answered<'static>> {
    let services = services(samples);
    let found = QUESTIONS.iter().filter_map(|question| {
        let of = |service: &&str| {
            let subject = |setting: &str| {
                let (platform, variant) = setting.split_once('/')?;
                Some(Subject::new(service, platform, variant))
            };
            paired_sums(samples, &subject(wasm)?, &subject(container)?, question.metrics)
        };
        let ratios: Vec<Estimate> = services.iter().filter_map(of).collect();
        let exact = question.metrics[0].0 == &SIZE;
        let winners: Vec<Winner> = ratios.iter().map(|ratio| winner(ratio, question.better)).collect();
        let first = *winners.first()?;
        let winner = if winners.iter().all(|winner| *winner == first) { first } else { Winner::Nobody };
        let factors = ratios.iter().map(|ratio| ratio.median.max(1.0 / ratio.median));
        let factors = factors.fold((f64::INFINITY, 0.0_f64), |(low, high), factor| (low.min(factor), high.max(factor)));
        let sure = exact || ratios.iter().all(|ratio| ratio.interval.is_some());
        Some(Answered { question, winner, factors, sure })
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

fn sentence(when: &str, (wasm, container): &(String, String), answered: &[Answered<'_>]) -> Option<String> {
    let of =
        |winner: Winner| -> Vec<&Answered<'_>> { answered.iter().filter(|found| found.winner == winner).collect() };
    let wins = |found: &&Answered<'_>| found.question.wins.replace("{}", &factor(found.factors));
    let mut parts = Vec::new();
    for (side, found) in [("Wasm", of(Winner::Wasm)), ("the container", of(Winner::Container))] {
        if !found.is_empty() {
            parts.push(format!("{side} {}", and(&found.iter().map(wins).collect::<Vec<_>>())));
        }
    }
    let level = of(Winner::Nobody);
    if !level.is_empty() {
        let called: Vec<String> = level.iter().map(|found| found.question.called.to_owned()).collect();
        parts.push(format!("{} cannot be told apart on all services", and(&called)));
    }
    let few: Vec<String> =
        answered.iter().filter(|found| !found.sure).map(|found| found.question.called.to_owned()).collect();
    let doubt = if few.is_empty() { String::new() } else { format!(" Too few rounds for an interval: {}.", and(&few)) };
    (!parts.is_empty()).then(|| format!("{when} ({wasm} against {container}), {}.{doubt}", parts.join("; ")))
}

fn flips(best: &[Answered<'_>], usual: &[Answered<'_>]) -> Option<String> {
    let pairs: Vec<(&Answered<'_>, &Answered<'_>)> = best
        .iter()
        .filter_map(|one| Some((one, usual.iter().find(|other| other.question.called == one.question.called)?)))
        .collect();
    let flipped: Vec<String> = pairs
        .iter()
        .filter(|(one, other)| one.winner != other.winner)
        .map(|(one, other)| {
            format!("{} ({} at best, {} as usually shipped)", one.question.called, name(one.winner), name(other.winner))
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
