//! What single settings are worth, beside the difference between the sides.

use tare_model::metrics::{MEMORY_ENGINE, MEMORY_PSS, STARTUP_COLD, THROUGHPUT};
use tare_model::{Metric, Sample, Subject};
use tare_stats::{Estimate, paired_sums, services};

use crate::format::ratio;

/// Two settings (`platform/variant`) that differ in one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The one whose figures are divided.
    pub of: String,
    /// The one by whose.
    pub over: String,
    /// In what they differ.
    pub what: String,
}

/// What is shown of each: its name, and the metrics and phases whose sum it is. Memory is with what the engine runs beside.
pub(crate) const SHOWN: [(&str, &[(&Metric, &str)]); 3] = [
    ("cold start", &[(&STARTUP_COLD, "total")]),
    ("idle memory + engine", &[(&MEMORY_PSS, "idle"), (&MEMORY_ENGINE, "idle")]),
    ("throughput", &[(&THROUGHPUT, "closed")]),
];

/// An entry for each pair of which both were measured.
pub(crate) fn settings(samples: &[Sample], pairs: &[Pair]) -> Vec<(String, String)> {
    let services = services(samples);
    let entries = pairs.iter().filter_map(|pair| {
        let worth: Vec<String> = SHOWN
            .iter()
            .filter_map(|(name, metrics)| {
                let found = services.iter().filter_map(|service| of_service(samples, service, pair, metrics));
                Some(format!("{name} {}", range(&found.collect::<Vec<_>>())?))
            })
            .collect();
        let says = || format!("{}, over {}: {}", pair.what, pair.over, worth.join(", "));
        (!worth.is_empty()).then(|| (pair.of.clone(), says()))
    });
    entries.collect()
}

/// The ratio of a pair on a service; nothing where no round has both.
pub(crate) fn of_service(
    samples: &[Sample],
    service: &str,
    pair: &Pair,
    metrics: &[(&Metric, &str)],
) -> Option<Estimate> {
    let subject = |setting: &str| {
        let (platform, variant) = setting.split_once('/')?;
        Some(Subject::new(service, platform, variant))
    };
    paired_sums(samples, &subject(&pair.of)?, &subject(&pair.over)?, metrics)
}

/// The ratios of all services; said to be no difference where no interval excludes 1.
fn range(ratios: &[Estimate]) -> Option<String> {
    let low = ratios.iter().map(|ratio| ratio.median).reduce(f64::min)?;
    let high = ratios.iter().map(|ratio| ratio.median).reduce(f64::max)?;
    let (low, high) = (ratio(low), ratio(high));
    let shown = if low == high { low } else { format!("{low} to {high}") };
    let intervals: Option<Vec<_>> = ratios.iter().map(|ratio| ratio.interval).collect();
    let told_apart = intervals.map(|all| all.iter().any(|interval| interval.low > 1.0 || interval.high < 1.0));
    Some(match told_apart {
        Some(false) => format!("{shown} (not told apart)"),
        Some(true) => shown,
        None => format!("{shown} (too few rounds)"),
    })
}
