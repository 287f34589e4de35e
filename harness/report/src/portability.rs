//! Whether one and the same component ran everywhere.

use std::collections::BTreeMap;

use tare_model::{RunRecord, SubjectRecord};

/// Digits of a digest that are shown.
const DIGITS: usize = 12;

/// An entry for each service with components: the one of which most settings are made, and those that are made of others.
pub(crate) fn portability(record: &RunRecord) -> Vec<(String, String)> {
    let mut services: BTreeMap<&str, Vec<(&str, Vec<String>)>> = BTreeMap::new();
    for subject in &record.subjects {
        let Some(digest) = component(subject) else { continue };
        let digests = services.entry(&subject.subject.service).or_default();
        let setting = named(record, subject);
        match digests.iter_mut().find(|(known, _)| *known == digest) {
            Some((_, settings)) => settings.push(setting),
            None => digests.push((digest, vec![setting])),
        }
    }
    services.into_iter().map(|(service, digests)| (service.to_owned(), says(digests))).collect()
}

/// The digest of the component that a subject is made of.
fn component(subject: &SubjectRecord) -> Option<&str> {
    let found = subject.artifacts.iter().find(|artifact| artifact.kind == "component");
    found.map(|artifact| artifact.sha256.as_str())
}

/// A setting, with what explains that its bytes are others.
fn named(record: &RunRecord, subject: &SubjectRecord) -> String {
    let setting = subject.subject.setting();
    let without_simd = subject.settings.get("simd").is_some_and(|simd| simd == "no");
    if record.is_control(&subject.subject) {
        format!("{setting} (a control)")
    } else if without_simd {
        format!("{setting} (without SIMD)")
    } else {
        setting
    }
}

fn says(mut digests: Vec<(&str, Vec<String>)>) -> String {
    // Stable: of two that as many settings use, the one that comes first in the run.
    digests.sort_by_key(|(_, settings)| std::cmp::Reverse(settings.len()));
    let parts = digests.iter().enumerate().map(|(place, (digest, settings))| {
        let digest = digest.get(..DIGITS).unwrap_or(digest);
        let what = if place == 0 { format!("one component on {}", platforms(settings)) } else { "other bytes".into() };
        format!("{what} (sha256 {digest}): {}", settings.join(", "))
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// The platforms of settings, each once.
fn platforms(settings: &[String]) -> String {
    let mut platforms: Vec<&str> = settings.iter().filter_map(|setting| setting.split('/').next()).collect();
    platforms.dedup();
    platforms.join(", ")
}
