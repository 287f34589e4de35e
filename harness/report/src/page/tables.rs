//! The page's tables.

use maud::{Markup, html};
use tare_model::{Deed, RunRecord, Subject, Verdict};
use tare_stats::Judged;

use super::list;
use crate::Content;
use crate::against::{self, Other};
use crate::cells::columns;
use crate::charts::platform_colour;
use crate::claims::{cases, flips, was_measured};
use crate::isolation::{explained, settings, shown, title};
use crate::layout::{Content as Cell, TextColumn};
use crate::marks::{Marks, failures};

/// The tables of all services, and the sections that they have.
pub(super) fn tables(content: &Content<'_>, services: &[Vec<Subject>], marks: &mut Marks) -> (Markup, Vec<String>) {
    let mut sections = Vec::new();
    let mut all = Vec::new();
    for subjects in services {
        let columns = columns(content.record, content.summary, subjects, marks);
        sections.extend(columns.iter().map(|column| column.section.clone()));
        for text in subjects.iter().flat_map(|subject| failures(&content.record.failed, subject, None)) {
            // Those that no cell has shown, too.
            marks.mark(&text);
        }
        if !columns.is_empty() {
            all.push(table(subjects, &columns));
        }
    }
    (html! { @for table in all { (table) } }, sections)
}

fn table(subjects: &[Subject], columns: &[TextColumn]) -> Markup {
    let sections: Vec<&[TextColumn]> = columns.chunk_by(|a, b| a.section == b.section).collect();
    let service = &subjects[0].service;
    html! {
        div.wide data-service=(service) role="region" aria-label={ "Figures of " (service) } tabindex="0" {
            table.sortable {
                caption { (service) }
                thead {
                    tr { td {} @for section in &sections {
                        th scope="colgroup" colspan=(section.len()) { (section[0].section) }
                    } }
                    tr { th scope="col" { "subject" } @for column in columns { th scope="col" { (column.title) } } }
                }
                tbody { @for (row, subject) in subjects.iter().enumerate() {
                    tr data-platform=(subject.platform) {
                        th scope="row" {
                            span.dot style={ "background:" (platform_colour(&subject.platform)) } {} (subject.setting())
                        }
                        @for column in columns { (cell(&column.cells[row])) }
                    }
                } }
            }
        }
    }
}

fn cell(cell: &Cell) -> Markup {
    match cell {
        Cell::Whole(pieces) => {
            let text: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
            html! { td.none { (text.join(" ")) } }
        }
        Cell::Figures([value, spread, ratio, ratio_spread, marks]) => html! {
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

/// This run beside another.
pub(super) fn against(content: &Content<'_>, other: Other<'_>, services: &[Vec<Subject>]) -> Markup {
    html! {
        section #against {
            h2 { "Against run " (other.record.run) }
            @for subjects in services {
                @let columns = against::columns(content.summary, other, subjects);
                @if !columns.is_empty() { (table(subjects, &columns)) }
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

/// What the probes of isolation found: a line per setting, a column per deed.
pub(super) fn isolation(record: &RunRecord) -> Markup {
    let checks = &record.isolation;
    let settings = settings(record);
    html! {
        @if !checks.is_empty() {
            section #isolation {
                h2 { "Isolation" }
                p { "What an intruder tried from inside of each setting, launched as the services are. The plain process claims "
                    "nothing: what it can do shows that the probes can tell." }
                (scrolling("Isolation", &html! { table {
                    thead { tr { th scope="col" { "subject" }
                        @for deed in Deed::ALL { th scope="col" { (title(*deed)) } } } }
                    tbody { @for setting in &settings {
                        tr { th scope="row" { (setting) } @for deed in Deed::ALL {
                            @let found = checks.iter().find(|check| check.setting == *setting && check.deed == *deed);
                            td { @match found {
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
                        thead { tr { th scope="col" { "subject" } th scope="col" { "tried" } th scope="col" { "outcome" }
                            th scope="col" { "how" } } }
                        tbody { @for check in checks {
                            tr { th scope="row" { (check.setting) } td { (title(check.deed)) }
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
