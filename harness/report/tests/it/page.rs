//! The page as text: what it says and how it is put together, without its drawings.

use tare_report::page;
use tare_stats::summarise;

use crate::example::{content, full, reference_of};

#[test]
fn a_run_as_a_page() {
    let (record, samples) = full();
    let summary = summarise(&samples, &reference_of(&record));
    let content = content(&record, &summary, &samples);
    let page = page(&content);
    let names: Vec<&str> = page.charts.iter().map(|chart| chart.name.as_str()).collect();
    insta::assert_snapshot!("charts", names.join("\n"));
    let html = ["style", "script", "svg"].iter().fold(page.html, |html, element| without(&html, element));
    insta::assert_snapshot!("page", html.replace("><", ">\n<"));
}

/// The text without what is between the tags of an element.
fn without(html: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}"), format!("</{element}>"));
    let mut parts = html.split(&open);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (_, rest) = part.split_once(&close).expect("the element ends");
        format!("{text}{open}>…{close}{rest}")
    })
}
