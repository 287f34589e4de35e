//! Which subjects a report is about, and what they are called in it.

use tare_model::{Group, RunRecord, Subject};
use tare_stats::Summary;

use crate::escape;
use crate::marks::{Marks, failures};

/// A service and its subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    pub name: String,
    /// At least one.
    pub subjects: Vec<Subject>,
}

/// The services of a run, each with the subjects of the plan in its order, and after them those that only the samples know.
/// What failed and was not to be measured (what probes isolation) is none.
pub(crate) fn services(record: &RunRecord, summary: &Summary) -> Vec<Service> {
    let measured = summary.cells.iter().map(|cell| &cell.subject);
    let mut services: Vec<Service> = Vec::new();
    for subject in record.plan.subjects.iter().chain(measured) {
        match services.iter_mut().find(|service| service.name == subject.service) {
            Some(service) if service.subjects.contains(subject) => {}
            Some(service) => service.subjects.push(subject.clone()),
            None => services.push(Service { name: subject.service.clone(), subjects: vec![subject.clone()] }),
        }
    }
    services
}

impl Service {
    /// Its name, with the implementation where all of its subjects have one that is not the default.
    pub(crate) fn heading(&self) -> String {
        let first = &self.subjects[0];
        let heading = match (self.implementations().len(), first.is_default()) {
            (1, false) => format!("{} ({})", self.name, first.implementation),
            _ => self.name.clone(),
        };
        escape::line(&heading)
    }

    /// What tells one of its subjects from the others: the variant, after the implementation where they differ in that and
    /// it is not the default.
    pub(crate) fn label(&self, subject: &Subject) -> String {
        let id = subject.variant_id();
        let is_named = !subject.is_default() && self.implementations().len() > 1;
        let label = if is_named { format!("{}: {id}", subject.implementation) } else { id.to_string() };
        escape::line(&label)
    }

    /// The implementations of its subjects, each once, in their order.
    pub(crate) fn implementations(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for subject in &self.subjects {
            if !found.contains(&subject.implementation.as_str()) {
                found.push(&subject.implementation);
            }
        }
        found
    }

    /// Marks the failures of its subjects that no cell has shown, too.
    pub(crate) fn mark_failures(&self, record: &RunRecord, marks: &mut Marks) {
        for text in self.subjects.iter().flat_map(|subject| failures(&record.failed, subject, None)) {
            marks.mark(&text);
        }
    }
}

/// The mark of a subject as a whole: what it was granted beyond the hardened default of its platform, a setting that moves
/// figures and isolation. Empty for nothing.
pub(crate) fn granted(record: &RunRecord, subject: &Subject, marks: &mut Marks) -> String {
    grants(record, subject).map_or_else(String::new, |grants| marks.mark(&grants))
}

/// What a subject was granted, in words; `None` for nothing.
fn grants(record: &RunRecord, subject: &Subject) -> Option<String> {
    let found = record.subjects.iter().find(|of| of.subject == *subject).filter(|of| !of.grants.is_empty())?;
    Some(format!("granted beyond the hardened default of its platform: {}", found.grants.join("; ")))
}

/// Families of metrics of a subject.
type Families<'a> = (&'a Subject, Vec<Group>);

/// What cannot be measured of subjects as they are: an entry for each reason.
pub(crate) fn unavailable(record: &RunRecord) -> Vec<(String, String)> {
    let mut reasons: Vec<(&str, Vec<Families<'_>>)> = Vec::new();
    for cell in &record.unavailable {
        let place = reasons.iter().position(|(reason, _)| *reason == cell.reason).unwrap_or_else(|| {
            reasons.push((&cell.reason, Vec::new()));
            reasons.len() - 1
        });
        let subjects = &mut reasons[place].1;
        match subjects.iter_mut().find(|(subject, _)| **subject == cell.subject) {
            Some((_, groups)) => groups.push(cell.group),
            None => subjects.push((&cell.subject, vec![cell.group])),
        }
    }
    let entry = |(reason, subjects): (&str, Vec<Families<'_>>)| {
        let of = |(subject, groups): &Families<'_>| {
            let groups: Vec<&str> = groups.iter().map(|group| group.name()).collect();
            format!("{} of {subject}", groups.join(", "))
        };
        let subjects: Vec<String> = subjects.iter().map(of).collect();
        ("–".to_owned(), format!("{}: {reason}", subjects.join("; ")))
    };
    reasons.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(subjects: &[&str]) -> Service {
        let subjects: Vec<Subject> = subjects.iter().map(|subject| subject.parse().unwrap()).collect();
        Service { name: subjects[0].service.clone(), subjects }
    }

    #[test]
    fn an_implementation_that_all_have_is_named_once() {
        let given = service(&["cart:given/wasmtime/aot", "cart:given/docker/image"]);
        assert_eq!((given.heading(), given.label(&given.subjects[1])), ("cart (given)".into(), "docker/image".into()));
        let rust = service(&["auth/wasmtime/aot"]);
        assert_eq!((rust.heading(), rust.label(&rust.subjects[0])), ("auth".into(), "wasmtime/aot".into()));
    }

    #[test]
    fn of_several_implementations_those_that_are_not_the_default_are_named() {
        let mixed = service(&["orders/wasmtime/aot", "orders:go/wasmtime/aot"]);
        assert_eq!(mixed.heading(), "orders");
        let labels: Vec<String> = mixed.subjects.iter().map(|subject| mixed.label(subject)).collect();
        assert_eq!(labels, ["wasmtime/aot", "go: wasmtime/aot"]);
    }
}
