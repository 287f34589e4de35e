//! The report as a page: one file, no network, readable without script.

mod figures;
mod record;
mod tables;
mod text;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::figures::{Figure, figures};
use crate::Content;
use crate::answer::answer;
use crate::baselines::worth;
use crate::catalogue::{BASELINES, TOPICS, Topic};
use crate::conditions::{controls, reading, references};
use crate::escape;
use crate::failed;
use crate::marks::Marks;
use crate::noise::noise;
use crate::portability::portability;
use crate::sides::title;
use crate::subjects::{Service, services, unavailable};

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

/// Renders a run.
pub fn page(content: &Content<'_>) -> Page {
    let services = services(content.record, content.summary);
    let title = title(content.record, services.iter().flat_map(|service| &service.subjects));
    let (figures, body) = if failed::is_all(content) {
        (Vec::new(), without_figures(content, title, &services))
    } else {
        let figures = figures(content, &services);
        let body = body(content, title, &services, &figures, &mut Marks::default());
        (figures, body)
    };
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) " Run " (content.record.run) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) script { (PreEscaped(SCRIPT)) } }
        }
    };
    let charts = figures.into_iter().map(|figure| ChartFile { name: figure.id, svg: figure.svg }).collect();
    Page { html: escape::page(&html.into_string()), charts }
}

/// A page without figures: why there are none, and what to do about it.
fn without_figures(content: &Content<'_>, title: &str, services: &[Service]) -> Markup {
    let Content { record, summary, .. } = *content;
    let names: Vec<String> = services.iter().map(Service::heading).collect();
    html! {
        header {
            h1 { (title) }
            p.muted { (text::headline(record, &names)) }
        }
        main {
            section #answer {
                h2 { (failed::NOTHING) }
                ul { @for reason in failed::reasons(record) { li { (reason) } } }
                h3 { "What to do" }
                ul { @for says in failed::TO_DO { li { (says) } } }
            }
            (record::record(record, summary))
        }
    }
}

fn body(content: &Content<'_>, title: &str, services: &[Service], figures: &[Figure], marks: &mut Marks) -> Markup {
    let Content { record, summary, judged, against, .. } = *content;
    let names: Vec<String> = services.iter().map(Service::heading).collect();
    let tables = tables::tables(content, services, marks);
    let topics: Vec<&Topic> =
        TOPICS.iter().copied().filter(|topic| figures.iter().any(|figure| figure.topic == *topic)).collect();
    html! {
        a.skip href="#answer" { "To the answer" }
        header {
            h1 { (title) }
            p.muted { (text::headline(record, &names)) }
            nav aria-label="Sections" { ul {
                @for (id, title) in sections_of(content, &topics) { li { a href={ "#" (id) } { (title) } } }
            } }
        }
        main {
            (answered(content))
            (tables::claims(judged))
            (text::controls(services, &topics))
            @if let Some(other) = against { (tables::against(content, other, services)) }
            section #figures {
                h2 { "All figures" }
                @if tables.shown.is_empty() { p { "Nothing was measured." } }
                @else { p { "A row per subject. Select a heading to sort by it." } }
                (tables.markup)
                (list(&reading(record, summary, &tables.shown, &tables.text)))
            }
            @for topic in &topics { (topical(content, topic, figures)) }
            (tables::isolation(record))
            (text::section("portability", "Portability, by the bytes of components", &portability(record)))
            (text::section("noise", "Noise", &noise(record, summary)))
            (text::section("controls", "Controls, measured to check the comparison and not to be chosen",
                &controls(record)))
            (text::section("marks", "Marks and failed cells", &marks.entries()))
            (text::section("unavailable", "Cannot be measured", &unavailable(record)))
            (record::record(record, summary))
        }
    }
}

/// The answer, and what it holds for.
fn answered(content: &Content<'_>) -> Markup {
    let sentences = answer(content);
    let references = references(content.summary, |_| true);
    html! {
        section #answer {
            h2 { "The answer" }
            @if sentences.is_empty() { p { "Nothing was measured that could be set against each other." } }
            @for sentence in sentences { p.answer { (sentence) } }
            p.muted {
                "On this machine, with these services and settings; the conditions stand " a href="#record" { "below" } "."
                @if !references.is_empty() { " The reference of every ratio is " (references) "." }
            }
        }
    }
}

/// A topic with its charts.
fn topical(content: &Content<'_>, topic: &Topic, figures: &[Figure]) -> Markup {
    html! {
        section id=(topic.id) data-topic=(topic.id) {
            h2 { (topic.title) }
            p { (topic.says) }
            @for figure in figures.iter().filter(|figure| figure.topic == topic) { (drawn(figure)) }
            @if *topic == BASELINES { (list(&worth(content.record, content.samples))) }
        }
    }
}

/// The sections that the page has, for its navigation.
fn sections_of<'a>(content: &Content<'_>, topics: &[&'a Topic]) -> Vec<(&'a str, &'a str)> {
    let mut sections = vec![("answer", "Answer")];
    if content.judged.iter().any(crate::claims::was_measured) {
        sections.push(("claims", "Claimed and measured"));
    }
    if content.against.is_some() {
        sections.push(("against", "Against the other run"));
    }
    sections.push(("figures", "All figures"));
    sections.extend(topics.iter().map(|topic| (topic.id, topic.title)));
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
    html! { dl { @for (term, says) in entries {
        div { dt { (escape::line(term)) } dd { (escape::lines(says)) } }
    } } }
}
