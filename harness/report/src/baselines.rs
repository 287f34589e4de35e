//! What single settings are worth: variants over their baselines, from which each differs in one thing.

use tare_model::{RunRecord, Sample};
use tare_stats::{Estimate, Workload, paired_sums, workloads};

use crate::catalogue::{self, Entry};
use crate::format::ratio;
use crate::marks::{FEW, few};
use crate::sides::baselines;

/// An entry for each variant that was measured with its baseline, and one for what has too few rounds.
pub(crate) fn worth(record: &RunRecord, samples: &[Sample]) -> Vec<(String, String)> {
    let workloads = workloads(samples);
    let mut too_few: Vec<usize> = Vec::new();
    let mut entries = Vec::new();
    for (id, baseline) in baselines(record) {
        let worth = catalogue::with(|entry| entry.baselines).filter_map(|(entry, _)| {
            let ratio = |workload: &Workload<'_>| {
                paired_sums(samples, &workload.subject(&id), &workload.subject(&baseline.variant), &entry.sum())
            };
            let found: Vec<Estimate> = workloads.iter().filter_map(ratio).collect();
            if !entry.is_exact() {
                too_few.extend(found.iter().filter(|ratio| ratio.interval.is_none()).map(|ratio| ratio.n));
            }
            Some(format!("{} {}", entry.name, range(entry, &found)?))
        });
        let worth: Vec<String> = worth.collect();
        if !worth.is_empty() {
            let says = format!("{}, over {}: {}", baseline.difference, baseline.variant, worth.join(", "));
            entries.push((id.to_string(), says));
        }
    }
    entries.extend(few(&too_few).map(|says| (FEW.to_owned(), says)));
    entries
}

/// The ratios of all services; said to be no difference where no interval excludes 1.
fn range(entry: &Entry, ratios: &[Estimate]) -> Option<String> {
    let low = ratios.iter().map(|ratio| ratio.median).reduce(f64::min)?;
    let high = ratios.iter().map(|ratio| ratio.median).reduce(f64::max)?;
    let (low, high) = (ratio(low), ratio(high));
    let shown = if low == high { low } else { format!("{low} to {high}") };
    let intervals: Option<Vec<_>> = ratios.iter().map(|ratio| ratio.interval).collect();
    let differs = intervals.map(|all| all.iter().any(|interval| interval.low > 1.0 || interval.high < 1.0));
    Some(match differs {
        Some(false) => format!("{shown} (not told apart)"),
        None if !entry.is_exact() => format!("{shown} {FEW}"),
        Some(true) | None => shown,
    })
}
