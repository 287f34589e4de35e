//! `list`: what the registries hold.

use anyhow::Result;
use serde::Serialize;
use tare_model::METRICS;
use tare_runner::platforms::PLATFORMS;
use tare_runner::{Layout, SUITES};

use crate::args::OutputArgs;
use crate::exit::Exit;
use crate::screen::{print, print_json, wrapped};
use crate::services;

/// A section of the list.
#[derive(Serialize)]
struct Section {
    what: &'static str,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    summary: String,
}

/// Runs it.
///
/// # Errors
/// Outside a checkout, or with a scenario that cannot be read.
pub fn execute(args: &OutputArgs) -> Result<Exit> {
    let services = services::own(&Layout::find()?)?;
    let entry = |name: String, summary: &str| Entry { name, summary: summary.into() };
    let services = services.iter().map(|service| entry(service.name.clone(), &service.scenario.summary));
    let platforms = PLATFORMS.iter().flat_map(|platform| {
        let whole = entry(platform.name().into(), platform.summary());
        let variants = platform.variants().iter().map(|variant| variant.entry());
        let variants = variants.map(|variant| entry(variant.id().to_string(), variant.summary));
        std::iter::once(whole).chain(variants)
    });
    let metrics = METRICS.iter().map(|metric| {
        entry(metric.name.into(), &format!("{} [{}; --only {}]", metric.summary, metric.unit, metric.group.name()))
    });
    let suites = SUITES.iter().map(|suite| entry(suite.name.into(), suite.summary));
    let sections = [
        Section { what: "services", entries: services.collect() },
        Section { what: "platforms", entries: platforms.collect() },
        Section { what: "metrics", entries: metrics.collect() },
        Section { what: "suites", entries: suites.collect() },
    ];
    if args.json {
        print_json(&sections)?;
        return Ok(Exit::Done);
    }
    let names = sections.iter().flat_map(|section| &section.entries).map(|entry| entry.name.len());
    let width = names.max().unwrap_or_default();
    for section in sections {
        print(&format!("{}\n", section.what))?;
        for Entry { name, summary } in section.entries {
            print(&wrapped(&format!("  {name:<width$} "), &summary))?;
        }
    }
    Ok(Exit::Done)
}
