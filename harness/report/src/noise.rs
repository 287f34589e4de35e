//! What moved the figures besides what was compared: the reference against itself, the time, the order.

use tare_model::RunRecord;
use tare_stats::{Effect, Estimate, Summary};

use crate::conditions::references;
use crate::marks::{FEW, few};

/// The noise of a run, one entry for each way to look at it; none where there were too few rounds.
pub(crate) fn noise(record: &RunRecord, summary: &Summary) -> Vec<(String, String)> {
    let mut entries = Vec::new();
    let (itself, too_few) = against_itself(record, summary);
    if !itself.is_empty() {
        let says = format!(
            "{} over {}, the same measured twice in each round: {}",
            record.plan.noise,
            references(summary, |cell| cell.subject.variant_id() == record.plan.noise),
            itself.join("; ")
        );
        entries.push(("reference against itself".into(), says));
        entries.extend(few(&too_few).map(|says| (FEW.to_owned(), says)));
    }
    let moved = |of: fn(&Effect) -> Option<Estimate>| -> Vec<String> {
        let shown =
            summary.effects.iter().filter_map(|effect| Some(format!("{} {}", effect.metric.name, change(of(effect)?))));
        shown.collect()
    };
    for (term, what, found) in [
        ("drift", "from the first round to the last", moved(|effect| Some(effect.drift))),
        ("order", "from the first place of a round to the last", moved(|effect| effect.order)),
    ] {
        if !found.is_empty() {
            entries.push((term.into(), format!("{what}, median over subjects: {}", found.join(", "))));
        }
    }
    entries
}

/// The ratio of the reference to itself, by metric and service; and the rounds of those that have too few.
fn against_itself(record: &RunRecord, summary: &Summary) -> (Vec<String>, Vec<usize>) {
    let mut too_few = Vec::new();
    let mut found: Vec<(&str, Vec<String>)> = Vec::new();
    let of_noise = summary.cells.iter().filter(|cell| cell.subject.variant_id() == record.plan.noise);
    // Sizes are the same by nature.
    for cell in of_noise.filter(|cell| cell.value.n > 1 && cell.metric.is_headline(&cell.phase)) {
        let Some(ratio) = cell.ratio else { continue };
        too_few.extend(ratio.interval.is_none().then_some(ratio.n));
        let text = format!("{} {}", cell.subject.service, with_interval(&ratio));
        match found.iter_mut().find(|(metric, _)| *metric == cell.metric.name) {
            Some((_, texts)) => texts.push(text),
            None => found.push((cell.metric.name, vec![text])),
        }
    }
    (found.into_iter().map(|(metric, texts)| format!("{metric}: {}", texts.join(", "))).collect(), too_few)
}

/// A ratio with both ends of its interval, marked where that excludes 1.
fn with_interval(ratio: &Estimate) -> String {
    match ratio.interval {
        Some(interval) => {
            let excluded = if interval.low > 1.0 || interval.high < 1.0 { " (!)" } else { "" };
            format!("{:.2}× [{:.2}, {:.2}]{excluded}", ratio.median, interval.low, interval.high)
        }
        None => format!("{:.2}× {FEW}", ratio.median),
    }
}

/// A relative change with its interval.
fn change(estimate: Estimate) -> String {
    let percent = |share: f64| format!("{:+.1}", share * 100.0);
    match estimate.interval {
        Some(interval) => {
            format!("{} % [{}, {}]", percent(estimate.median), percent(interval.low), percent(interval.high))
        }
        None => format!("{} %", percent(estimate.median)),
    }
}
