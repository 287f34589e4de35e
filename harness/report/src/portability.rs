//! Whether one and the same component ran everywhere.

use std::collections::BTreeMap;

use tare_model::{DEFAULT_IMPLEMENTATION, RunRecord, SubjectRecord, VariantId};

/// Digits of a digest that are shown.
const DIGITS: usize = 12;

/// A component of a service's implementation: its digest, and the variants that are made of it, each with what explains that
/// its bytes are others.
type Component<'a> = (&'a str, Vec<(VariantId, &'static str)>);

/// An entry for each implementation of a service that has components: the one of which most variants are made, and those
/// that are made of others.
pub(crate) fn portability(record: &RunRecord) -> Vec<(String, String)> {
    let mut workloads: BTreeMap<(&str, &str), Vec<Component<'_>>> = BTreeMap::new();
    for subject in &record.subjects {
        let Some(digest) = component(subject) else { continue };
        let components = workloads.entry((&subject.subject.service, &subject.subject.implementation)).or_default();
        let variant = (subject.subject.variant_id(), exception(record, subject));
        match components.iter_mut().find(|(known, _)| *known == digest) {
            Some((_, variants)) => variants.push(variant),
            None => components.push((digest, vec![variant])),
        }
    }
    let name = |(service, implementation): (&str, &str)| match implementation {
        DEFAULT_IMPLEMENTATION => service.to_owned(),
        _ => format!("{service}:{implementation}"),
    };
    workloads.into_iter().map(|(workload, components)| (name(workload), says(components))).collect()
}

/// The digest of the component that a subject is made of.
fn component(subject: &SubjectRecord) -> Option<&str> {
    let found = subject.artifacts.iter().find(|artifact| artifact.kind == "component");
    found.map(|artifact| artifact.sha256.as_str())
}

/// What explains that the bytes of a subject's component are others.
fn exception(record: &RunRecord, subject: &SubjectRecord) -> &'static str {
    let without_simd = subject.settings.get("simd").is_some_and(|simd| simd == "no");
    if record.is_control(&subject.subject) {
        " (a control)"
    } else if without_simd {
        " (without SIMD)"
    } else {
        ""
    }
}

fn says(mut components: Vec<Component<'_>>) -> String {
    // Stable: of two that as many variants use, the one that comes first in the run.
    components.sort_by_key(|(_, variants)| std::cmp::Reverse(variants.len()));
    let parts = components.iter().enumerate().map(|(place, (digest, variants))| {
        let digest: String = digest.chars().take(DIGITS).collect();
        let what = if place == 0 { format!("one component on {}", platforms(variants)) } else { "other bytes".into() };
        let variants: Vec<String> = variants.iter().map(|(id, exception)| format!("{id}{exception}")).collect();
        format!("{what} (sha256 {digest}): {}", variants.join(", "))
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// The platforms of variants, each once.
fn platforms(variants: &[(VariantId, &str)]) -> String {
    let mut platforms: Vec<&str> = Vec::new();
    for (id, _) in variants {
        if !platforms.contains(&id.platform.as_str()) {
            platforms.push(&id.platform);
        }
    }
    platforms.join(", ")
}
