//! The full record of a run on its page.

use maud::{Markup, html};
use tare_model::{MetricRecord, RunRecord, SubjectRecord};
use tare_stats::Summary;

use super::list;
use super::tables::scrolling;
use crate::catalogue::not_shown;
use crate::conditions::{command, conditions};
use crate::escape;
use crate::format::number;

/// Conditions, warnings, subjects with their artifacts and settings, what the metrics are, and the command that repeats the
/// run.
pub(super) fn record(record: &RunRecord, summary: &Summary) -> Markup {
    html! {
        section #record {
            h2 { "Record" }
            p { "This repeats the run:" }
            pre { code { (command(record)) } }
            @if !record.warnings.is_empty() {
                h3 { "Warnings" }
                ul { @for warning in &record.warnings { li { (escape::lines(warning)) } } }
            }
            h3 { "Conditions" }
            (list(&conditions(record, summary)))
            @if !record.calibration.capacity_rps.is_empty() {
                h3 { "Calibration" }
                p { "What each subject reached before the first round, from which the rates of the open loops were set." }
                details {
                    summary { "Capacities" }
                    (scrolling("Capacities", &html! { table {
                        thead { tr { th scope="col" { "subject" } th scope="col" { "capacity, requests/s" } } }
                        tbody { @for (subject, rate) in &record.calibration.capacity_rps {
                            tr { th scope="row" { (subject) } td { (number(*rate)) } }
                        } }
                    } }))
                }
            }
            @if !record.subjects.is_empty() {
                h3 { "Subjects" }
                @for of in &record.subjects { (subject(of)) }
            }
            @if !record.metrics.is_empty() { (metrics(&record.metrics)) }
        }
    }
}

/// What was built for a subject, how it was set, and what it was granted.
fn subject(of: &SubjectRecord) -> Markup {
    let granted = (!of.grants.is_empty()).then(|| ("granted".to_owned(), of.grants.join("; ")));
    let settings = of.settings.iter().map(|(name, value)| (name.clone(), value.clone()));
    html! {
        details {
            summary { (of.subject) }
            (scrolling("Artifacts", &html! { table {
                thead { tr { th scope="col" { "artifact" } th scope="col" { "file" } th scope="col" { "bytes" }
                    th scope="col" { "SHA-256" } } }
                tbody { @for artifact in &of.artifacts {
                    tr { th scope="row" { (artifact.kind) } td { (artifact.name) } td { (artifact.bytes) }
                        td { code { (artifact.sha256) } } }
                } }
            } }))
            (list(&granted.into_iter().chain(settings).collect::<Vec<_>>()))
        }
    }
}

/// What the metrics are, as they were defined when the run was taken.
fn metrics(metrics: &[MetricRecord]) -> Markup {
    html! {
        h3 { "Metrics" }
        p { "As they were defined when the run was taken; their names are those of the csv files." }
        details {
            summary { "Definitions" }
            (scrolling("Definitions", &html! { table {
                thead { tr { th scope="col" { "metric" } th scope="col" { "unit" } th scope="col" { "what it is" } } }
                tbody { @for metric in metrics {
                    tr { th scope="row" { (metric.name) } td { (metric.unit) } td { (metric.summary)
                        @if let Some(reason) = not_shown(&metric.name) { "; in no table or chart, as " (reason) } } }
                } }
            } }))
        }
    }
}
