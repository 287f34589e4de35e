//! Judging claims by the samples of a run.

use tare_model::{Case, Claim, ClaimRow, Interval, Metric, Sample, VariantId, Variants, Verdict};

use crate::Estimate;
use crate::paired::{Workload, over, sums, workloads};

/// A claim and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The claim.
    pub claim: Claim,
    /// On what is usually shipped, service by service.
    pub usual: Vec<JudgedCase>,
    /// On the best of both sides.
    pub best: Vec<JudgedCase>,
}

/// A claim judged on one case of one service.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedCase {
    /// The service, with its implementation where that is not the default.
    pub service: String,
    /// The variant.
    pub of: VariantId,
    /// The one that its value is divided by.
    pub over: Option<VariantId>,
    /// What was measured; `None` where it was not.
    pub estimate: Option<Estimate>,
    /// The 95 % interval, or the value itself where it is no matter of chance (sizes); `None` for too few rounds.
    pub interval: Option<Interval>,
    /// What became of the claim.
    pub verdict: Verdict,
}

/// Judges claims on the services that were measured. A service that has none of a case's variants has no say in it, unless
/// none has them.
pub fn judge(claims: &[Claim], samples: &[Sample]) -> Vec<Judged> {
    let workloads = workloads(samples);
    let judged = claims.iter().map(|claim| {
        let wanted = workloads.iter().filter(|workload| {
            claim.services.is_empty() || claim.services.iter().any(|wanted| wanted == workload.service)
        });
        let of = |case: &Case| {
            let (there, others): (Vec<_>, Vec<_>) =
                wanted.clone().partition(|workload| is_there(workload, case, samples));
            let judged = if there.is_empty() { others } else { there };
            judged.into_iter().map(|workload| judge_case(claim, workload, case, samples)).collect()
        };
        Judged { claim: claim.clone(), usual: of(&claim.usual), best: claim.best.as_ref().map(of).unwrap_or_default() }
    });
    judged.collect()
}

impl Judged {
    /// What became of it on what is usually shipped: the same on all services, or undecided.
    pub fn verdict(&self) -> Verdict {
        common(&self.usual)
    }

    /// And on the best of both sides; `None` where no case is named.
    pub fn best_verdict(&self) -> Option<Verdict> {
        (!self.best.is_empty()).then(|| common(&self.best))
    }

    /// The rows of `claims.csv`.
    pub fn rows(&self) -> Vec<ClaimRow> {
        let cases = [("usual", &self.usual), ("best", &self.best)];
        let rows = cases.into_iter().flat_map(|(name, cases)| cases.iter().map(move |case| (name, case)));
        let row = |(name, judged): (&str, &JudgedCase)| {
            let over = judged.over.as_ref().map(|over| format!(" over {over}")).unwrap_or_default();
            let why = match (&judged.estimate, judged.interval) {
                (None, _) => "; not measured",
                (Some(_), None) => "; too few rounds for an interval",
                (Some(_), Some(_)) => "",
            };
            ClaimRow {
                id: self.claim.id.clone(),
                claim: self.claim.claim.clone(),
                figure: self.claim.figure.clone(),
                measured: judged.estimate.map(|estimate| estimate.median),
                ci_low: judged.interval.map(|interval| interval.low),
                ci_high: judged.interval.map(|interval| interval.high),
                verdict: judged.verdict,
                conditions: format!("{name}: {}/{}{over}{why}", judged.service, judged.of),
            }
        };
        rows.map(row).collect()
    }
}

fn common(cases: &[JudgedCase]) -> Verdict {
    let Some(first) = cases.first() else { return Verdict::Undecided };
    if cases.iter().all(|case| case.verdict == first.verdict) { first.verdict } else { Verdict::Undecided }
}

/// Whether a service was measured in any of a case's variants, and in any of those that it is divided by.
fn is_there(workload: &Workload<'_>, case: &Case, samples: &[Sample]) -> bool {
    let has = |id: &VariantId| samples.iter().any(|sample| sample.subject == workload.subject(id));
    case.of.0.iter().any(has) && case.over.as_ref().is_none_or(|over| over.0.iter().any(has))
}

fn judge_case(claim: &Claim, workload: &Workload<'_>, case: &Case, samples: &[Sample]) -> JudgedCase {
    let measured = |variants: &Variants| {
        let is_there = |id: &&VariantId| samples.iter().any(|sample| sample.subject == workload.subject(id));
        variants.0.iter().find(is_there).or(variants.0.first()).cloned()
    };
    let (of, over) =
        (measured(&case.of).unwrap_or_else(|| VariantId::new("", "")), case.over.as_ref().and_then(measured));
    let values = values(claim, workload, (&of, over.as_ref()), samples);
    let estimate = Estimate::of(&values);
    // What is measured once is not a matter of chance.
    let once = claim.measured().iter().all(|metric| metric.group.headline().is_none());
    let point = estimate.filter(|_| once).map(|estimate| Interval { low: estimate.median, high: estimate.median });
    let interval = point.or_else(|| estimate.and_then(|estimate| estimate.interval));
    let verdict = interval.map_or(Verdict::Undecided, |interval| verdict(claim, interval));
    JudgedCase { service: workload.to_string(), of, over, estimate, interval, verdict }
}

fn verdict(claim: &Claim, Interval { low, high }: Interval) -> Verdict {
    let least = claim.at_least.map_or(f64::NEG_INFINITY, |bound| bound.value);
    let most = claim.at_most.map_or(f64::INFINITY, |bound| bound.value);
    if least <= low && high <= most {
        Verdict::Holds
    } else if high < least || most < low {
        Verdict::DoesNotHold
    } else {
        Verdict::Undecided
    }
}

/// The sum of a claim's metrics in each round: of a subject, or over another's in the same round.
fn values(
    claim: &Claim,
    workload: &Workload<'_>,
    (of, base): (&VariantId, Option<&VariantId>),
    samples: &[Sample],
) -> Vec<f64> {
    let phase = |metric: &'static Metric| claim.phase.as_deref().or(metric.headline);
    let metrics: Vec<(&Metric, &str)> =
        claim.measured().into_iter().filter_map(|metric| Some((metric, phase(metric)?))).collect();
    let sums_of = |id: &VariantId| sums(samples, &workload.subject(id), &metrics);
    let values = sums_of(of);
    match base {
        Some(base) => over(&values, &sums_of(base)),
        None => values.into_values().collect(),
    }
}

#[cfg(test)]
mod tests {
    use tare_model::metrics::{MEMORY_ENGINE, MEMORY_PSS, SIZE, STARTUP_COLD};
    use tare_model::{Bound, Unit};

    use super::*;

    fn series(subject: &str, metric: &'static Metric, values: &[f64]) -> Vec<Sample> {
        let first = u32::from(metric != &SIZE);
        let sample = |(round, value): (u32, &f64)| Sample {
            round,
            position: 1,
            subject: subject.parse().unwrap(),
            metric,
            phase: metric.headline.unwrap().into(),
            value: *value,
        };
        (first..).zip(values).map(sample).collect()
    }

    fn claim(metrics: &[&str], at_least: f64, at_most: f64, unit: Option<Unit>) -> Claim {
        let over = unit.is_none().then(|| VariantId::new("wasmtime", "aot").into());
        Claim {
            id: "it".into(),
            claim: "so it is".into(),
            figure: "so much".into(),
            reading: None,
            metrics: metrics.iter().map(|&name| name.to_owned()).collect(),
            phase: None,
            at_least: Some(Bound { value: at_least, unit }),
            at_most: Some(Bound { value: at_most, unit }),
            services: Vec::new(),
            usual: Case { of: VariantId::new("docker", "debian").into(), over },
            best: None,
        }
    }

    fn usual(claim: Claim, samples: &[Sample]) -> (Verdict, Judged) {
        let judged = judge(&[claim], samples).remove(0);
        (judged.verdict(), judged)
    }

    #[test]
    fn an_interval_within_without_or_across_a_bound_decides() {
        let samples = series("auth/docker/debian", &STARTUP_COLD, &[9.0, 10.0, 11.0, 10.0, 9.5, 10.5]);
        let unit = Some(Unit::Nanoseconds);
        assert_eq!(usual(claim(&["startup_cold"], 5.0, 20.0, unit), &samples).0, Verdict::Holds);
        assert_eq!(usual(claim(&["startup_cold"], 12.0, 20.0, unit), &samples).0, Verdict::DoesNotHold);
        assert_eq!(usual(claim(&["startup_cold"], 10.0, 20.0, unit), &samples).0, Verdict::Undecided);
        assert_eq!(usual(claim(&["startup_cold"], 5.0, 20.0, unit), &samples[..5]).0, Verdict::Undecided);
    }

    #[test]
    fn sizes_need_no_rounds_and_engines_are_added() {
        let size = series("auth/docker/debian", &SIZE, &[78e6]);
        assert_eq!(usual(claim(&["size"], 200e6, 500e6, Some(Unit::Bytes)), &size).0, Verdict::DoesNotHold);
        let mut memory = series("auth/docker/debian", &MEMORY_PSS, &[3.0; 6]);
        memory.extend(series("auth/docker/debian", &MEMORY_ENGINE, &[15.0; 6]));
        let (verdict, judged) = usual(claim(&["memory_pss", "memory_engine"], 18.0, 18.0, Some(Unit::Bytes)), &memory);
        assert_eq!(verdict, Verdict::Holds, "{judged:?}");
    }

    #[test]
    fn ratios_are_paired_and_services_must_agree() {
        let mut samples = series("auth/docker/debian", &STARTUP_COLD, &[10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
        samples.extend(series("auth/wasmtime/aot", &STARTUP_COLD, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        assert_eq!(usual(claim(&["startup_cold"], 10.0, 10.0, None), &samples).0, Verdict::Holds);
        samples.extend(series("orders/docker/debian", &STARTUP_COLD, &[1.0; 6]));
        samples.extend(series("orders/wasmtime/aot", &STARTUP_COLD, &[1.0; 6]));
        let (verdict, judged) = usual(claim(&["startup_cold"], 10.0, 10.0, None), &samples);
        assert_eq!(verdict, Verdict::Undecided);
        let verdicts: Vec<Verdict> = judged.usual.iter().map(|case| case.verdict).collect();
        assert_eq!(verdicts, [Verdict::Holds, Verdict::DoesNotHold]);
        let only = Claim { services: vec!["auth".into()], ..claim(&["startup_cold"], 10.0, 10.0, None) };
        assert_eq!(usual(only, &samples).0, Verdict::Holds);
    }

    #[test]
    fn a_service_without_the_variants_has_no_say() {
        let mut samples = series("auth/docker/debian", &STARTUP_COLD, &[10.0; 6]);
        samples.extend(series("cart:given/docker/image", &STARTUP_COLD, &[1.0; 6]));
        let (verdict, judged) = usual(claim(&["startup_cold"], 5.0, 20.0, Some(Unit::Nanoseconds)), &samples);
        assert_eq!((verdict, judged.usual.len()), (Verdict::Holds, 1), "{judged:?}");
        let (verdict, judged) = usual(claim(&["startup_cold"], 5.0, 20.0, None), &samples);
        assert_eq!((verdict, judged.usual.len()), (Verdict::Undecided, 2), "no service has both: {judged:?}");
    }

    #[test]
    fn rows_say_on_what_and_why_not() {
        let samples = series("auth/docker/debian", &STARTUP_COLD, &[10.0; 3]);
        let best = Some(Case { of: VariantId::new("docker", "scratch").into(), over: None });
        let claim = Claim { best, ..claim(&["startup_cold"], 1.0, 20.0, Some(Unit::Nanoseconds)) };
        let rows = judge(&[claim], &samples)[0].rows();
        let mut bytes = Vec::new();
        tare_model::write_claims(&mut bytes, &rows).unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap(), @r"
        id,claim,figure,measured,ci_low,ci_high,verdict,conditions
        it,so it is,so much,10.0,,,undecided,usual: auth/docker/debian; too few rounds for an interval
        it,so it is,so much,,,,undecided,best: auth/docker/scratch; not measured
        ");
    }
}
