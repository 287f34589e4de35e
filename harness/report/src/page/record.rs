//! The full record of a run on its page.

use maud::{Markup, html};
use tare_model::RunRecord;
use tare_stats::Summary;

use super::list;
use super::tables::scrolling;
use crate::conditions::conditions;
use crate::format::number;

/// Conditions, warnings, subjects with their artifacts and settings, and the command that repeats the run.
pub(super) fn record(record: &RunRecord, summary: &Summary) -> Markup {
    html! {
        section #record {
            h2 { "Record" }
            p { "This repeats the run:" }
            pre { code { (record.command.join(" ")) } }
            @if !record.warnings.is_empty() {
                h3 { "Warnings" }
                ul { @for warning in &record.warnings { li { (warning) } } }
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
            h3 { "Subjects" }
            @for subject in &record.subjects {
                details {
                    summary { (subject.subject) }
                    (scrolling("Artifacts", &html! { table {
                        thead { tr { th scope="col" { "artifact" } th scope="col" { "file" } th scope="col" { "bytes" }
                            th scope="col" { "SHA-256" } } }
                        tbody { @for artifact in &subject.artifacts {
                            tr { th scope="row" { (artifact.kind) } td { (artifact.name) } td { (artifact.bytes) }
                                td { code { (artifact.sha256) } } }
                        } }
                    } }))
                    (list(&subject.settings.clone().into_iter().collect::<Vec<_>>()))
                }
            }
        }
    }
}
