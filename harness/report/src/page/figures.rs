//! Which charts a page has: those of the catalogue that have anything to show.

mod lines;
mod parts;
mod rows;

use tare_model::{Metric, Phase, Subject};
use tare_stats::{Cell, Estimate, Summary};

use crate::Content;
use crate::catalogue::{BASELINES, Chart, ChartKind, ENTRIES, Entry, Heading, TOPICS, Topic};
use crate::charts::Caption;
use crate::escape;
use crate::format::Scale;
use crate::subjects::Service;

/// A chart with the same as a table.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    /// Its name as a file.
    pub id: String,
    /// The part of the page that it is in.
    pub topic: &'static Topic,
    /// The service that it is about.
    pub service: String,
    pub title: String,
    /// What there is to know to read it.
    pub says: &'static str,
    pub svg: String,
    pub headings: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// A drawing, and the same as a table.
struct Drawing {
    svg: String,
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// What a chart of a service is made from.
#[derive(Clone, Copy)]
struct View<'a> {
    content: &'a Content<'a>,
    service: &'a Service,
    entry: &'static Entry,
    heading: Heading,
}

/// All charts, in the order of the page. No two have the same name, whatever the services are called.
pub(super) fn figures(content: &Content<'_>, services: &[Service]) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    for service in services {
        for topic in TOPICS {
            figures.extend(ENTRIES.iter().flat_map(|entry| of_entry(content, service, topic, entry)));
        }
    }
    for place in 1..figures.len() {
        let (before, rest) = figures.split_at_mut(place);
        if before.iter().any(|other| other.id == rest[0].id) {
            rest[0].id = format!("{}-{place}", rest[0].id);
        }
    }
    figures
}

/// The charts of an entry that are in a topic.
fn of_entry(content: &Content<'_>, service: &Service, topic: &'static Topic, entry: &'static Entry) -> Vec<Figure> {
    let view = |heading| View { content, service, entry, heading };
    let own: &[Chart] = if entry.section.topic == topic { entry.charts } else { &[] };
    let own = own.iter().filter_map(|chart| view(chart.heading).figure(topic, |view| view.draw(&chart.kind)));
    let baselines = entry.baselines.filter(|_| *topic == BASELINES);
    let baselines = baselines.and_then(|heading| view(heading).figure(topic, View::over_baselines));
    own.chain(baselines).collect()
}

impl<'a> View<'a> {
    fn figure(self, topic: &'static Topic, draw: impl Fn(Self) -> Option<Drawing>) -> Option<Figure> {
        let Drawing { svg, headings, rows } = draw(self)?;
        Some(Figure {
            id: escape::file_name(&format!("{}-{}", self.service.name, self.heading.name)),
            topic,
            service: self.service.name.clone(),
            title: self.title(),
            says: self.heading.says,
            svg,
            headings,
            rows,
        })
    }

    fn draw(self, kind: &ChartKind) -> Option<Drawing> {
        match kind {
            ChartKind::Dots => self.dots(),
            ChartKind::Samples => self.samples(),
            ChartKind::Phases(whole) => self.phases(whole),
            ChartKind::Parts(parts) => self.parts(parts),
            ChartKind::Along(along) => self.along(along),
            ChartKind::Percentiles(percentiles) => self.percentiles(percentiles),
        }
    }

    fn summary(self) -> &'a Summary {
        self.content.summary
    }

    fn title(self) -> String {
        format!("{}: {}", self.service.heading(), self.heading.title)
    }

    fn caption(self) -> Caption {
        Caption {
            title: self.title(),
            description: format!("{} The table below the chart has the same figures.", self.heading.says),
        }
    }

    fn label(self, subject: &Subject) -> String {
        self.service.label(subject)
    }

    /// The value of a subject in the entry's phase.
    fn cell(self, subject: &Subject) -> Option<&'a Cell> {
        self.summary().cell(subject, self.entry.metric, self.entry.phase)
    }

    /// The median of a subject in any phase of any metric.
    fn median(self, subject: &Subject, metric: &Metric, phase: impl Into<Phase>) -> Option<f64> {
        Some(self.summary().cell(subject, metric, phase)?.value.median)
    }

    /// The subjects that have a value, with it, and the scale to tell all in; `None` where there is none above zero.
    fn cells(self) -> Option<(Vec<(&'a Subject, &'a Cell)>, Scale)> {
        let subjects = self.service.subjects.iter();
        let cells: Vec<_> = subjects.filter_map(|subject| Some((subject, self.cell(subject)?))).collect();
        let scale = self.scale(cells.iter().map(|(_, cell)| cell.value.median))?;
        Some((cells, scale))
    }

    /// The scale for values of the entry; `None` where there are none above zero.
    fn scale(self, values: impl Iterator<Item = f64>) -> Option<Scale> {
        let least = values.filter(|value| *value > 0.0).reduce(f64::min);
        least.map(|least| Scale::of(self.entry.metric.unit, least))
    }
}

/// The ends of an interval or range in words.
fn within(estimate: &Estimate, number: impl Fn(f64) -> String) -> String {
    let ends = |interval: tare_model::Interval| format!("{} to {}", number(interval.low), number(interval.high));
    match estimate.interval {
        Some(interval) => format!("95 % interval {}", ends(interval)),
        None if estimate.n > 1 => format!("range {}", ends(estimate.range)),
        None => "measured once".into(),
    }
}

/// Headings as a table has them.
fn headings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
