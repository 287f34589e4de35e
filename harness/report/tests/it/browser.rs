//! The page in a real browser: nothing is loaded, nothing goes wrong, what can be chosen is chosen, and no text in a chart is
//! cut or covers another.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use tare_report::page;
use tare_stats::summarise;

use crate::example::{content, reference_of};
use crate::many::{SERVICES, many};

/// Runs before anything else of the page: hears what goes wrong.
const FIRST: &str = r"<script>
window.wrong = [];
addEventListener('error', (event) => wrong.push(event.message));
addEventListener('securitypolicyviolation', (event) => wrong.push(`blocked: ${event.blockedURI}`));
</script>";

/// Runs last: looks, chooses, sorts, and leaves what it found in the document, as hexadecimal digits.
const LAST: &str = r"<script>
const all = (selector) => [...document.querySelectorAll(selector)];
const found = { wrong, requests: performance.getEntriesByType('resource').map((entry) => entry.name), overlaps: [], cut: [],
  holds: {} };
found.charts = all('figure svg').length;
found.described = all('figure svg').filter((svg) => svg.querySelector(':scope > title, :scope > desc')).length;
// Lines of text stand close: what reaches a pixel or two into the next line does not cover it.
const margin = 1.5;
for (const svg of all('figure svg')) {
  const name = svg.querySelector('title')?.textContent ?? '?';
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
  texts.forEach(([one, a], place) => {
    if (a.left < frame.left - margin || a.right > frame.right + margin || a.top < frame.top - margin ||
        a.bottom > frame.bottom + margin) found.cut.push(`${name}: ${one}`);
    for (const [other, b] of texts.slice(place + 1)) {
      const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (width > margin && height > 2 * margin) found.overlaps.push(`${name}: ${one} and ${other}`);
    }
  });
}
found.holds.fits = document.documentElement.scrollWidth <= innerWidth;
const form = document.getElementById('choose');
const choose = (change) => { change(); form.dispatchEvent(new Event('change')); };
found.holds.offered = !form.hidden;
choose(() => { form.elements.service.value = 'orders'; });
found.holds.service = all('figure').every((figure) => figure.hidden === (figure.dataset.service !== 'orders'));
choose(() => { form.elements.topic.value = 'memory'; });
found.holds.topic = all('[data-topic]').every((section) => section.hidden === (section.dataset.topic !== 'memory'));
choose(() => { form.querySelector('input[value=docker]').checked = false; });
found.holds.platform = all('tr[data-platform]').every((row) => row.hidden === (row.dataset.platform === 'docker'));
found.holds.faint = all('g[data-platform]').every((mark) =>
  (getComputedStyle(mark).opacity < 1) === (mark.dataset.platform === 'docker'));
const table = document.querySelector('table.sortable');
const heading = [...table.querySelectorAll('thead tr:last-child th')].findIndex((th) => th.textContent === 'cold');
table.querySelectorAll('thead tr:last-child th button')[heading].click();
const values = [...table.tBodies[0].rows].map((row) => parseFloat(row.cells[heading].querySelector('.value').textContent));
found.holds.sorted = values.every((value, place) => place === 0 || values[place - 1] <= value);
const bytes = new TextEncoder().encode(JSON.stringify(found));
document.title = `found:${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}:`;
</script>";

#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Found {
    wrong: Vec<String>,
    requests: Vec<String>,
    overlaps: Vec<String>,
    cut: Vec<String>,
    charts: usize,
    described: usize,
    /// What should hold, by name.
    holds: BTreeMap<String, bool>,
}

#[test]
fn a_browser_finds_nothing_wrong_with_the_page() {
    let Some(browser) = browser() else { return };
    let (record, samples) = many();
    let summary = summarise(&samples, &reference_of(&record));
    let content = content(&record, &summary, &samples);
    let page = page(&content);
    assert!(page.html.len() < 1_500_000, "the page weighs {} bytes", page.html.len());
    assert!(
        !page.html.contains("http://")
            || page.html.matches("http://").count() == page.html.matches("http://www.w3.org/").count()
    );
    let html =
        page.html.replacen("<head>", &format!("<head>{FIRST}"), 1).replacen("</body>", &format!("{LAST}</body>"), 1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    std::fs::write(&file, html).unwrap();
    for width in [1200, 500] {
        let output = Command::new(&browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(format!("--window-size={width},900"))
            .arg(format!("file://{}", file.display()))
            .output()
            .unwrap();
        let document = String::from_utf8(output.stdout).unwrap();
        let found = document.split("found:").nth(1).and_then(|rest| rest.split(':').next());
        let found = found.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let bytes: Vec<u8> =
            (0..found.len()).step_by(2).map(|at| u8::from_str_radix(&found[at..at + 2], 16).unwrap()).collect();
        let found: Found = serde_json::from_slice(&bytes).unwrap();
        assert!(found.charts >= 15 * SERVICES.len(), "{found:?}");
        let expected = Found {
            wrong: Vec::new(),
            requests: Vec::new(),
            overlaps: Vec::new(),
            cut: Vec::new(),
            charts: found.charts,
            described: found.charts,
            holds: ["fits", "offered", "service", "topic", "platform", "faint", "sorted"]
                .map(|name| (name.to_owned(), true))
                .into(),
        };
        assert_eq!(found, expected, "in a window of {width} pixels");
    }
}

/// A browser, where there is one. Where everything must be tested, there has to be.
#[expect(clippy::print_stderr, reason = "a test that did not run must not look like one that passed")]
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = ["chromium", "chromium-browser", "google-chrome"];
    let found =
        std::env::split_paths(&path).flat_map(|dir| named.map(|name| dir.join(name))).find(|file| file.is_file());
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "no browser, and in CI nothing is skipped");
    if found.is_none() {
        eprintln!("\n*** SKIPPED: the page is looked at in a browser, and there is no chromium\n");
    }
    found
}
