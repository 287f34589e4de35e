//! The report as a page: one file, no network, readable without script.

mod figures;
mod record;
mod tables;
mod text;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use tare_model::Subject;

use self::figures::{Figure, figures};
use crate::Content;
use crate::answer::answer;
use crate::conditions::reading;
use crate::marks::Marks;
use crate::noise::noise;
use crate::portability::portability;
use crate::settings::settings;
use crate::subjects::{by_service, subjects};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Nothing is loaded from anywhere: what the page says of itself, its reader's browser enforces.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// A chart as a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartFile {
    /// The name of the file, without its ending.
    pub name: String,
    /// The drawing.
    pub svg: String,
}

/// A rendered report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The page itself, HTML.
    pub html: String,
    /// The charts in it.
    pub charts: Vec<ChartFile>,
}

/// What the topics of the page are called, and what is to be known of their figures.
const TOPICS: &[(&str, &str, &str)] = &[
    (
        "startup",
        "Start-up",
        "From launch to the end of the first right answer, with nothing of the subject running before.",
    ),
    (
        "memory",
        "Memory",
        "PSS: resident memory with shared pages divided among their users, so that no page counts twice.",
    ),
    ("size", "Size", "What is shipped, what of it is shared, and what must be on the machine anyway."),
    ("load", "Load", "The same seeded requests for every subject of a service, every answer checked."),
];

/// Renders a run.
pub fn page(content: &Content<'_>) -> Page {
    let subjects = subjects(content.record, content.summary);
    let services = by_service(&subjects);
    let figures = figures(content, &services);
    let mut marks = Marks::default();
    let body = body(content, &services, &figures, &mut marks);
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Wasm component or container? Run " (content.record.run) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) script { (PreEscaped(SCRIPT)) } }
        }
    };
    let charts = figures.into_iter().map(|figure| ChartFile { name: figure.id, svg: figure.svg }).collect();
    Page { html: html.into_string(), charts }
}

fn body(content: &Content<'_>, services: &[Vec<Subject>], figures: &[Figure], marks: &mut Marks) -> Markup {
    let Content { record, summary, samples, judged, pairs, sides, against } = *content;
    let names: Vec<&str> = services.iter().map(|subjects| subjects[0].service.as_str()).collect();
    let has = |topic: &str| figures.iter().any(|figure| figure.topic == topic);
    let topics: Vec<(&str, &str)> = TOPICS
        .iter()
        .map(|(id, title, _)| (*id, *title))
        .chain([("settings", "Settings")])
        .filter(|(id, _)| has(id))
        .collect();
    let (tables, sections) = tables::tables(content, services, marks);
    let marked: Vec<(String, String)> = marks.texts().map(|(mark, text)| (mark, text.to_owned())).collect();
    html! {
        a.skip href="#answer" { "To the answer" }
        header {
            h1 { "Wasm component or container?" }
            p.muted { (text::headline(record, &names)) }
            nav aria-label="Sections" { ul {
                @for (id, title) in sections_of(content, figures) { li { a href={ "#" (id) } { (title) } } }
            } }
        }
        main {
            section #answer {
                h2 { "The answer" }
                @let sentences = answer(samples, sides);
                @if sentences.is_empty() {
                    p { "Too little was measured to set the two sides against each other." }
                }
                @for sentence in sentences { p.answer { (sentence) } }
                p.muted { "On this machine, with these services and settings; the conditions stand "
                    a href="#record" { "below" } ". A plain process, the floor, is the reference of every ratio." }
            }
            (tables::claims(judged))
            (text::controls(&names, services, &topics))
            @if let Some(other) = against { (tables::against(content, other, services)) }
            section #figures {
                h2 { "All figures" }
                p { "A row per subject; × is the value over that of the plain process in the same round, ± how far the 95 % "
                    "interval of the median reaches, ~ the range where there are too few rounds for one. Select a heading to "
                    "sort by it." }
                (tables)
                (list(&reading(record, summary, &sections, "×±~–≈")))
            }
            @for (id, title, says) in TOPICS {
                @let of_topic: Vec<&Figure> = figures.iter().filter(|figure| figure.topic == *id).collect();
                @if !of_topic.is_empty() {
                    section id=(id) data-topic=(id) {
                        h2 { (title) } p { (says) } @for figure in of_topic { (drawn(figure)) }
                    }
                }
            }
            @let of_settings: Vec<&Figure> = figures.iter().filter(|figure| figure.topic == "settings").collect();
            @if !of_settings.is_empty() {
                section #settings data-topic="settings" {
                    h2 { "What settings are worth" }
                    p { "Each differs from another in one thing; the first line is the difference between the sides." }
                    @for figure in of_settings { (drawn(figure)) }
                    (list(&settings(samples, pairs)))
                }
            }
            (tables::isolation(record))
            (text::section("portability", "Portability, by the bytes of components", &portability(record)))
            (text::section("noise", "Noise", &noise(record, summary)))
            (text::section("controls", "Controls, measured to check the comparison and not to be chosen",
                &record.controls.clone().into_iter().collect::<Vec<_>>()))
            (text::section("marks", "Marks and failed cells", &marked))
            (record::record(record, summary))
        }
    }
}

/// The sections that the page has, for its navigation.
fn sections_of<'a>(content: &Content<'_>, figures: &[Figure]) -> Vec<(&'a str, &'a str)> {
    let mut sections = vec![("answer", "Answer")];
    if !content.judged.is_empty() {
        sections.push(("claims", "Claimed and measured"));
    }
    if content.against.is_some() {
        sections.push(("against", "Against the other run"));
    }
    sections.push(("figures", "All figures"));
    let has = |topic: &str| figures.iter().any(|figure| figure.topic == topic);
    sections.extend(TOPICS.iter().filter(|(id, ..)| has(id)).map(|(id, title, _)| (*id, *title)));
    if has("settings") {
        sections.push(("settings", "Settings"));
    }
    if !content.record.isolation.is_empty() {
        sections.push(("isolation", "Isolation"));
    }
    sections.push(("record", "Record"));
    sections
}

/// A figure with its text alternative: the same as a table.
fn drawn(figure: &Figure) -> Markup {
    html! {
        figure data-service=(figure.service) {
            figcaption { strong { (figure.title) } @if !figure.says.is_empty() { " " (figure.says) } }
            div.chart { (PreEscaped(&figure.svg)) }
            details {
                summary { "As a table" }
                (tables::scrolling(&figure.title, &html! { table {
                    thead { tr { @for heading in &figure.headings { th scope="col" { (heading) } } } }
                    tbody { @for row in &figure.rows {
                        tr { @for (place, cell) in row.iter().enumerate() {
                            @if place == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                        } }
                    } }
                } }))
            }
        }
    }
}

/// Terms and what there is to say of them.
fn list(entries: &[(String, String)]) -> Markup {
    html! { dl { @for (term, says) in entries { div { dt { (term) } dd { (says) } } } } }
}
