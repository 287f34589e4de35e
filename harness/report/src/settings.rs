//! What single settings are worth, beside the difference between the sides.

use tare_model::metrics::{MEMORY_PSS, STARTUP_COLD, THROUGHPUT};
use tare_model::{Metric, Sample, Subject};
use tare_stats::{Estimate, paired, services};

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

/// What is shown of each.
const SHOWN: [(&str, &Metric); 3] =
    [("cold start", &STARTUP_COLD), ("idle memory", &MEMORY_PSS), ("throughput", &THROUGHPUT)];

/// An entry for each pair of which both were measured.
pub(crate) fn settings(samples: &[Sample], pairs: &[Pair]) -> Vec<(String, String)> {
    let services = services(samples);
    let entries = pairs.iter().filter_map(|pair| {
        let worth: Vec<String> = SHOWN
            .iter()
            .filter_map(|(name, metric)| {
                let found = services.iter().filter_map(|service| of_service(samples, service, pair, metric));
                Some(format!("{name} {}", range(&found.collect::<Vec<_>>())?))
            })
            .collect();
        let says = || format!("{}, over {}: {}", pair.what, pair.over, worth.join(", "));
        (!worth.is_empty()).then(|| (pair.of.clone(), says()))
    });
    entries.collect()
}

fn of_service(samples: &[Sample], service: &str, pair: &Pair, metric: &Metric) -> Option<Estimate> {
    let subject = |setting: &str| {
        let (platform, variant) = setting.split_once('/')?;
        Some(Subject::new(service, platform, variant))
    };
    paired(samples, &subject(&pair.of)?, &subject(&pair.over)?, metric)
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
