//! The file of claims: read, and its names looked up.

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail};
use fs_err as fs;
use serde::Deserialize;
use tare_model::{Claim, Claims, METRICS, Metric, RunRecord, Sample};
use tare_runner::Layout;
use tare_runner::platforms::variants;
use toml::Spanned;

use super::nearest::nearest;

/// Reads the claims to judge. A file that is not there has none.
///
/// # Errors
/// It cannot be read, or a claim in it cannot be judged.
pub fn claims(path: &Path) -> Result<Vec<Claim>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path)?;
    let claims: Claims = toml::from_str(&text).with_context(|| format!("{} is no file of claims", path.display()))?;
    let file = File { path, text: &text };
    let metrics: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
    for metric in file.places().iter().flat_map(|place| &place.metrics) {
        if Metric::by_name(metric.get_ref()).is_none() {
            bail!("{}", file.unknown(metric.span(), "metric", metric.get_ref(), &metrics));
        }
    }
    claims.check().map_err(|what| anyhow::anyhow!("{}: {what}", path.display()))?;
    Ok(claims.claim)
}

/// What names of the claims' file are none: variants that neither this program nor the run knows, phases that a metric of the run
/// does not have, and services of neither the project nor the run. A claim with such a name would just look as if it had not been
/// measured. What cannot be looked up is not told.
pub fn unknown_names(layout: &Layout, record: &RunRecord, samples: &[Sample]) -> Vec<String> {
    let path = layout.claims();
    let Ok(text) = fs::read_to_string(&path) else { return Vec::new() };
    let file = File { path: &path, text: &text };
    let known = Known::of(layout, record, samples);
    file.places().iter().flat_map(|place| file.unknown_of(place, &known)).collect()
}

/// Names that a claim may have.
struct Known<'a> {
    variants: Vec<String>,
    services: Vec<String>,
    samples: &'a [Sample],
}

impl<'a> Known<'a> {
    fn of(layout: &Layout, record: &RunRecord, samples: &'a [Sample]) -> Self {
        let recorded = record
            .platforms
            .iter()
            .flat_map(|platform| platform.variants.iter().map(|variant| platform.id(variant).to_string()));
        let own = variants().map(|(_, variant)| variant.entry().id().to_string());
        let (services, broken) = layout.services().unwrap_or_default();
        let services = services.into_iter().map(|service| service.name);
        let services = services.chain(broken.into_iter().map(|broken| broken.name));
        let of_run = record.plan.subjects.iter().map(|subject| subject.service.clone());
        let mut services: Vec<String> = services.chain(of_run).collect();
        services.sort_unstable();
        services.dedup();
        Self { variants: own.chain(recorded).collect(), services, samples }
    }

    /// The phases that metrics have in the run; none where it does not have the metrics.
    fn phases(&self, metrics: &[Spanned<String>]) -> Vec<&'a str> {
        let is_named = |sample: &&Sample| metrics.iter().any(|name| name.get_ref() == sample.metric.name);
        let found = self.samples.iter().filter(is_named).filter(|sample| sample.phase.at.is_none());
        let mut phases: Vec<&str> = found.map(|sample| sample.phase.name.as_str()).collect();
        phases.sort_unstable();
        phases.dedup();
        phases
    }
}

/// What a part of a metric is called in messages.
const PHASE: &str = "phase";

/// A file of claims.
struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

/// The names of a claim and where they stand.
#[derive(Deserialize)]
struct Place {
    metrics: Vec<Spanned<String>>,
    phase: Option<Spanned<String>>,
    #[serde(default)]
    services: Vec<Spanned<String>>,
    usual: CasePlace,
    best: Option<CasePlace>,
}

/// The variants of a case: one, or a list of them.
#[derive(Deserialize)]
struct CasePlace {
    of: Spanned<toml::Value>,
    over: Option<Spanned<toml::Value>>,
}

impl File<'_> {
    /// The places of all claims; none where it is no such file.
    fn places(&self) -> Vec<Place> {
        #[derive(Deserialize)]
        struct Places {
            claim: Vec<Place>,
        }
        toml::from_str(self.text).map(|places: Places| places.claim).unwrap_or_default()
    }

    fn unknown_of(&self, place: &Place, known: &Known<'_>) -> Vec<String> {
        let mut unknown = Vec::new();
        let phases = known.phases(&place.metrics);
        if let Some(phase) =
            place.phase.as_ref().filter(|phase| !phases.is_empty() && !phases.contains(&phase.get_ref().as_str()))
        {
            unknown.push(self.unknown(phase.span(), PHASE, phase.get_ref(), &phases));
        }
        let services: Vec<&str> = known.services.iter().map(String::as_str).collect();
        for service in place.services.iter().filter(|service| !known.services.contains(service.get_ref())) {
            unknown.push(self.unknown(service.span(), "service", service.get_ref(), &services));
        }
        let variants: Vec<&str> = known.variants.iter().map(String::as_str).collect();
        let cases = [Some(&place.usual), place.best.as_ref()].into_iter().flatten();
        for named in cases.flat_map(|case| [Some(&case.of), case.over.as_ref()]).flatten() {
            for name in names(named.get_ref()).filter(|name| !variants.contains(name)) {
                unknown.push(self.unknown(self.within(named.span(), name), "variant", name, &variants));
            }
        }
        unknown
    }

    /// Where in a part of the file a name stands.
    fn within(&self, part: Range<usize>, name: &str) -> Range<usize> {
        let found = self.text.get(part.clone()).and_then(|text| text.find(name));
        let begin = part.start + found.unwrap_or_default();
        begin..begin + name.len()
    }

    /// A sentence on a name that is none, with its line and what may have been meant.
    fn unknown(&self, at: Range<usize>, what: &str, name: &str, known: &[&str]) -> String {
        let file = self.path.file_name().unwrap_or_default().to_string_lossy();
        let line = self.text.get(..at.start).map_or(1, |before| before.matches('\n').count() + 1);
        // Services announce phases of their own: one that this run does not have may be of another.
        let of = if what == PHASE { " of these metrics in this run" } else { "" };
        let mut text = format!("{file}, line {line}: there is no {what} `{}`{of}", name.escape_debug());
        let _ = match nearest(name, known.iter().copied()) {
            Some(nearest) => write!(text, "; the nearest name is `{nearest}`"),
            None if what == "variant" || what == "metric" => write!(text, "; `tare list` names them"),
            None => write!(text, "; there are: {}", known.join(", ")),
        };
        text
    }
}

/// The texts of a value that is one, or a list of them.
fn names(value: &toml::Value) -> impl Iterator<Item = &str> {
    let listed = value.as_array().into_iter().flatten();
    std::iter::once(value).chain(listed).filter_map(toml::Value::as_str)
}

#[cfg(test)]
mod tests {
    use tare_model::Variants;

    use super::*;

    #[test]
    fn the_claims_that_are_shipped_can_be_judged() {
        let claims = claims(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../claims.toml")).unwrap();
        assert!(claims.len() > 10);
        let known: Vec<_> = variants().map(|(_, variant)| variant.entry().id()).collect();
        for claim in &claims {
            for case in [Some(&claim.usual), claim.best.as_ref()].into_iter().flatten() {
                let named = [Some(&case.of), case.over.as_ref()].into_iter().flatten();
                assert!(named.flat_map(|Variants(ids)| ids).all(|id| known.contains(id)), "{claim:?}");
            }
        }
    }

    #[test]
    fn a_claim_that_cannot_be_judged_is_named_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claims.toml");
        assert_eq!(claims(&path).unwrap(), []);
        for (text, told) in [
            ("claim = 3", "is no file of claims"),
            (
                "[[claim]]\nid = \"a\"\nclaim = \"b\"\nfigure = \"c\"\nmetrics = [\"size\"]\nat_most = \"5 MiB\"\nusual = { of = \"a/b\" }",
                "is no unit",
            ),
            (
                "[[claim]]\nid = \"a\"\nclaim = \"b\"\nfigure = \"c\"\nmetrics = [\"weight\"]\nat_most = \"5 MB\"\nusual = { of = \"a/b\" }",
                "claims.toml, line 5: there is no metric `weight`; `tare list` names them",
            ),
            (
                "[[claim]]\nid = \"a\"\nclaim = \"b\"\nfigure = \"c\"\nmetrics = [\n  \"size\",\n  \"trougput\"]\nat_most = \"5 MB\"\nusual = { of = \"a/b\" }",
                "claims.toml, line 7: there is no metric `trougput`; the nearest name is `throughput`",
            ),
        ] {
            fs::write(&path, text).unwrap();
            let error = format!("{:#}", claims(&path).unwrap_err());
            assert!(error.contains("claims.toml") && error.contains(told), "{error}");
        }
    }

    const NAMES: &str = r#"
[[claim]]
id = "typos"
claim = "b"
figure = "c"
metrics = ["startup_cold"]
phase = "totl"
at_most = "1 s"
services = [
  "auth",
  "oders",
]
usual = { of = "docker/debain", over = ["wasmtime/aot", "firecracker/vm"] }
best = { of = "future/variant" }

[[claim]]
id = "valid"
claim = "b"
figure = "c"
metrics = ["size"]
phase = "compressed"
at_most = "5 MB"
usual = { of = "docker/debian" }
"#;

    #[test]
    fn a_name_that_is_none_is_told_with_its_line_and_one_that_was_not_part_of_the_run_is_not() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::checkout(root.path());
        fs::write(layout.claims(), NAMES).unwrap();
        let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/record/small.json");
        let mut record: RunRecord = serde_json::from_slice(&fs::read(seed).unwrap()).unwrap();
        // As a later version has it, which took the run.
        record.platforms[0].name = "future".into();
        record.platforms[0].variants[0].name = "variant".into();
        let mut samples = Vec::new();
        for (metric, phase) in [("startup_cold", "total"), ("startup_cold", "spawn")] {
            let subject = record.plan.subjects[0].clone();
            let metric = Metric::by_name(metric).unwrap();
            samples.push(Sample { round: 1, position: 1, subject, metric, phase: phase.into(), value: 1.0 });
        }
        insta::assert_snapshot!(unknown_names(&layout, &record, &samples).join("\n"), @r"
        claims.toml, line 7: there is no phase `totl` of these metrics in this run; the nearest name is `total`
        claims.toml, line 11: there is no service `oders`; there are: auth
        claims.toml, line 13: there is no variant `docker/debain`; the nearest name is `docker/debian`
        claims.toml, line 13: there is no variant `firecracker/vm`; `tare list` names them
        ");
        fs::remove_file(layout.claims()).unwrap();
        assert_eq!(unknown_names(&layout, &record, &samples), [""; 0]);
    }
}
