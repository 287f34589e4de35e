//! The page's tables.

use maud::{Markup, html};
use tare_model::{RunRecord, Verdict, Violation};
use tare_stats::Judged;

use super::list;
use crate::Content;
use crate::against;
use crate::catalogue::Entry;
use crate::cells::columns;
use crate::charts::platform_colour;
use crate::claims::{cases, flips, too_few, was_measured};
use crate::content::Other;
use crate::isolation::{check, explained, shown, title, variants};
use crate::layout::{TableCell, TextColumn};
use crate::marks::{FEW, Marks};
use crate::subjects::{Service, granted};

/// The tables of all services.
pub(super) struct Tables {
    pub markup: Markup,
    /// What their columns show.
    pub shown: Vec<&'static Entry>,
    /// All text in their cells.
    pub text: String,
}

/// The tables of all services.
pub(super) fn tables(content: &Content<'_>, services: &[Service], marks: &mut Marks) -> Tables {
    let record = content.record;
    let (mut shown, mut text, mut all) = (Vec::new(), String::new(), Vec::new());
    for service in services {
        let columns = columns(record, content.summary, &service.subjects, marks);
        shown.extend(columns.iter().map(|(entry, _)| *entry));
        let columns: Vec<TextColumn> = columns.into_iter().map(|(_, column)| column).collect();
        text.extend(columns.iter().flat_map(|column| &column.cells).map(TableCell::text));
        let marked: Vec<String> = service.subjects.iter().map(|subject| granted(record, subject, marks)).collect();
        service.mark_failures(record, marks);
        if !columns.is_empty() {
            all.push(table(service, &marked, &columns));
        }
    }
    Tables { markup: html! { @for table in all { (table) } }, shown, text }
}

/// A table of a service; each subject may have marks.
fn table(service: &Service, marked: &[String], columns: &[TextColumn]) -> Markup {
    let sections: Vec<&[TextColumn]> = columns.chunk_by(|a, b| a.section == b.section).collect();
    let heading = service.heading();
    html! {
        div.wide data-service=(service.name) role="region" aria-label={ "Figures of " (heading) } tabindex="0" {
            table.sortable {
                caption { (heading) }
                thead {
                    tr { td {} @for section in &sections {
                        th scope="colgroup" colspan=(section.len()) { (section[0].section) }
                    } }
                    tr { th scope="col" { "subject" } @for column in columns { th scope="col" { (column.title) } } }
                }
                tbody { @for (row, subject) in service.subjects.iter().enumerate() {
                    tr data-platform=(subject.platform) {
                        th scope="row" {
                            span.dot style={ "background:" (platform_colour(&subject.platform)) } {}
                            (service.label(subject))
                            @if let Some(marks) = marked.get(row).filter(|marks| !marks.is_empty()) {
                                " " a.mark href="#marks" { (marks) }
                            }
                        }
                        @for column in columns { (cell(&column.cells[row])) }
                    }
                } }
            }
        }
    }
}

fn cell(cell: &TableCell) -> Markup {
    match cell {
        TableCell::Whole(pieces) => {
            let text: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
            html! { td.none { (text.join(" ")) } }
        }
        TableCell::Figures([value, spread, ratio, ratio_spread, marks]) => html! {
            td {
                span.value { (value.text) } " " span.muted { (spread.text) }
                @if !ratio.text.is_empty() {
                    br; span.ratio { (ratio.text) " " span.muted { (ratio_spread.text) } }
                }
                @if !marks.text.is_empty() { " " a.mark href="#marks" { (marks.text) } }
            }
        },
    }
}

/// This run against another.
pub(super) fn against(content: &Content<'_>, other: Other<'_>, services: &[Service]) -> Markup {
    html! {
        section #against {
            h2 { "Against run " (other.record.run) }
            @for service in services {
                @let columns = against::columns(content, other, &service.subjects);
                @if !columns.is_empty() { (table(service, &[], &columns)) }
            }
            (list(&against::explained(content.record, other)))
        }
    }
}

/// The claims, with what was claimed and what was measured side by side.
pub(super) fn claims(judged: &[Judged]) -> Markup {
    let measured: Vec<&Judged> = judged.iter().filter(|judged| was_measured(judged)).collect();
    html! {
        @if !measured.is_empty() {
            section #claims {
                h2 { "Claimed and measured" }
                p { "What circulates, and what this machine says of it: on what the defaults give, and on the best of both "
                    "sides. Every claim can be edited in " code { "claims.toml" } "." }
                (scrolling("Claimed and measured", &html! { table.claims {
                    thead { tr { th scope="col" { "claim" } th scope="col" { "claimed" } th scope="col" { "verdict" } th scope="col" { "measured, defaults" }
                        th scope="col" { "measured, at best" } } }
                    tbody { @for one in measured {
                        tr {
                            th scope="row" { (one.claim.claim)
                                @if let Some(reading) = &one.claim.reading { br; span.muted { "read as: " (reading) } } }
                            td { (one.claim.figure) }
                            td class=(verdict_class(one.verdict())) {
                                strong { (one.verdict()) }
                                @if let Some(flips) = flips(one, one.verdict()) { br; span.muted { (flips) } }
                            }
                            td { (cases(one, &one.usual)) }
                            td { @if !one.best.is_empty() { (cases(one, &one.best)) } }
                        }
                    } }
                } }))
                @if let Some(says) = too_few(judged) { p.muted { (FEW) " " (says) "." } }
            }
        }
    }
}

fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::DoesNotHold => "fails",
        Verdict::Undecided => "open",
    }
}

/// What the probes of isolation found: a line per variant, a column per violation.
pub(super) fn isolation(record: &RunRecord) -> Markup {
    let checks = &record.isolation;
    html! {
        @if !checks.is_empty() {
            section #isolation {
                h2 { "Isolation" }
                p { "What a probe tried from inside of each variant, launched as the services are." }
                (scrolling("Isolation", &html! { table {
                    thead { tr { th scope="col" { "variant" }
                        @for violation in Violation::ALL { th scope="col" { (title(*violation)) } } } }
                    tbody { @for variant in variants(record) {
                        tr { th scope="row" { (variant) } @for violation in Violation::ALL {
                            td { @match check(record, variant, *violation) {
                                Some(check) => span title=(check.detail) { (shown(check.outcome).0.text) },
                                None => "–",
                            } }
                        } }
                    } }
                } }))
                (list(&explained(record)))
                details {
                    summary { "How each went" }
                    (scrolling("How each went", &html! { table {
                        thead { tr { th scope="col" { "variant" } th scope="col" { "tried" } th scope="col" { "outcome" }
                            th scope="col" { "how" } } }
                        tbody { @for check in checks {
                            tr { th scope="row" { (check.variant) } td { (title(check.violation)) }
                                td { (shown(check.outcome).0.text) } td { (check.detail) } }
                        } }
                    } }))
                }
            }
        }
    }
}

/// What may be wider than the window: it scrolls by itself, by keyboard too.
pub(super) fn scrolling(label: &str, content: &Markup) -> Markup {
    html! { div.wide role="region" aria-label=(label) tabindex="0" { (content) } }
}
