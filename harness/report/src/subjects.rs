//! Which subjects a report is about.

use tare_model::{RunRecord, Subject};
use tare_stats::Summary;

/// The subjects of the plan in its order, and after them those that only the samples know.
pub(crate) fn subjects(record: &RunRecord, summary: &Summary) -> Vec<Subject> {
    let mut subjects: Vec<Subject> = Vec::new();
    let measured = summary.cells.iter().map(|cell| &cell.subject);
    let failed = record.failed.iter().map(|cell| &cell.subject);
    for subject in record.plan.subjects.iter().chain(measured).chain(failed) {
        if !subjects.contains(subject) {
            subjects.push(subject.clone());
        }
    }
    subjects
}

/// The subjects of each service, services in the order in which they come first.
pub(crate) fn by_service(subjects: &[Subject]) -> Vec<Vec<Subject>> {
    let mut services: Vec<Vec<Subject>> = Vec::new();
    for subject in subjects {
        match services.iter_mut().find(|service| service[0].service == subject.service) {
            Some(service) => service.push(subject.clone()),
            None => services.push(vec![subject.clone()]),
        }
    }
    services
}
