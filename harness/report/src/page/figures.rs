//! Which charts a page has, and what is in them.

mod load;
mod memory;
mod ratios;
mod size;
mod startup;

use std::iter;

use tare_model::{Metric, Subject, Unit};
use tare_stats::{Cell, Estimate, Summary};

use crate::Content;
use crate::charts::{Bar, Caption, Dot, Dots, Part, Quantity, Reference, Row, Spread, Stacked};
use crate::format::{Scale, spread};

/// A chart with the same as a table.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    /// Its name on the page and as a file.
    pub id: String,
    /// The section that it is in.
    pub topic: &'static str,
    /// The service that it is about.
    pub service: String,
    pub title: String,
    /// What there is to know to read it.
    pub says: String,
    pub svg: String,
    pub headings: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// What the charts of a service are made from.
#[derive(Clone, Copy)]
struct View<'a> {
    content: &'a Content<'a>,
    service: &'a str,
    subjects: &'a [Subject],
}

/// All charts, in the order of the page.
pub(super) fn figures(content: &Content<'_>, services: &[Vec<Subject>]) -> Vec<Figure> {
    let mut figures = Vec::new();
    for subjects in services {
        let view = View { content, service: &subjects[0].service, subjects };
        figures.extend(startup::figures(view));
        figures.extend(memory::figures(view));
        figures.extend(size::figures(view));
        figures.extend(load::figures(view));
        figures.extend(ratios::figures(view));
    }
    figures
}

/// What identifies a figure and says what it shows.
#[derive(Clone, Copy)]
struct Heading {
    topic: &'static str,
    name: &'static str,
    title: &'static str,
    says: &'static str,
}

impl<'a> View<'a> {
    fn summary(&self) -> &'a Summary {
        self.content.summary
    }

    fn cell(&self, subject: &Subject, metric: &Metric, phase: &str) -> Option<&'a Cell> {
        self.summary().cell(subject, metric, phase)
    }

    /// The subjects that have a value, with it.
    fn cells(&self, metric: &Metric, phase: &str) -> Vec<(&'a Subject, &'a Cell)> {
        self.subjects.iter().filter_map(|subject| Some((subject, self.cell(subject, metric, phase)?))).collect()
    }

    fn title(&self, heading: Heading) -> String {
        format!("{}: {}", self.service, heading.title)
    }

    fn figure(&self, heading: Heading, svg: String, headings: &[&str], rows: Vec<Vec<String>>) -> Figure {
        Figure {
            id: format!("{}-{}", self.service, heading.name),
            topic: heading.topic,
            service: self.service.to_owned(),
            title: self.title(heading),
            says: heading.says.to_owned(),
            svg,
            headings: headings.iter().map(|heading| (*heading).to_owned()).collect(),
            rows,
        }
    }

    fn caption(&self, heading: Heading) -> Caption {
        Caption {
            title: self.title(heading),
            description: format!("{} The table below the chart has the same figures.", heading.says),
        }
    }

    /// The value of the reference, as a line for charts of the same unit.
    fn reference(&self, metric: &Metric, phase: &str, scale: Scale) -> Option<Reference> {
        let subject = self.summary().reference.of(self.service);
        let cell = self.cell(&subject, metric, phase)?;
        Some(Reference { value: scale.value(cell.value.median), label: subject.setting() })
    }

    /// A dot for each subject that has a value.
    fn dots(&self, heading: Heading, metric: &'static Metric, phase: &str) -> Option<Figure> {
        let cells = self.cells(metric, phase);
        let scale = scale(metric.unit, cells.iter().map(|(_, cell)| cell.value.median))?;
        let rows = cells.iter().map(|(subject, cell)| {
            let text = format!("{} {}", scale.number(cell.value.median), spread(&cell.value)).trim_end().to_owned();
            let row = Row { tip: tip(subject, &cell.value, scale), ..row(subject, text) };
            Dot { row, value: scale.value(cell.value.median), spread: reach(&cell.value, scale) }
        });
        let chart = Dots {
            caption: self.caption(heading),
            quantity: Quantity { name: heading.title.to_owned(), unit: scale.name.into() },
            reference: self.reference(metric, phase, scale),
            rows: rows.collect(),
            ..Dots::default()
        };
        let table = cells.iter().map(|(subject, cell)| {
            let Estimate { median, n, .. } = cell.value;
            vec![subject.setting(), scale.number(median), within(&cell.value, scale), n.to_string()]
        });
        let table = table.collect();
        let unit = format!("median, {}", scale.name);
        Some(self.figure(heading, chart.svg(), &["subject", &unit, "interval", "rounds"], table))
    }

    /// A bar for each subject that has parts, in values of the unit; of what whole, and whether as shares of it.
    fn parts<const N: usize>(
        &self,
        heading: Heading,
        (whole, unit, shares): (&str, Unit, bool),
        names: [&str; N],
        parts: impl Fn(&Subject) -> Option<[f64; N]>,
    ) -> Option<Figure> {
        let told: Vec<(&Subject, [f64; N])> =
            self.subjects.iter().filter_map(|subject| Some((subject, parts(subject)?))).collect();
        let scale = scale(unit, told.iter().map(|(_, parts)| parts.iter().sum()))?;
        let all = |parts: &[f64; N]| scale.number(parts.iter().sum());
        let bar = |(subject, parts): &(&Subject, [f64; N])| {
            let part = |(name, value): (&str, &f64)| Part {
                name: name.into(),
                value: scale.value(*value),
                text: scale.number(*value),
            };
            let row = row(subject, format!("{} {}", all(parts), scale.name));
            Bar { row, parts: names.into_iter().zip(parts).map(part).collect() }
        };
        let chart = Stacked {
            caption: self.caption(heading),
            quantity: Quantity { name: whole.into(), unit: scale.name.into() },
            normalise: shares,
            rows: told.iter().map(bar).collect(),
        };
        let table = told.iter().map(|(subject, parts)| {
            let values = parts.iter().map(|value| scale.number(*value));
            iter::once(subject.setting()).chain(values).chain([all(parts)]).collect()
        });
        let table = table.collect();
        let total = format!("all, {}", scale.name);
        let headings: Vec<&str> = iter::once("subject").chain(names).chain([total.as_str()]).collect();
        Some(self.figure(heading, chart.svg(), &headings, table))
    }
}

/// The row of a subject.
fn row(subject: &Subject, text: String) -> Row {
    Row { label: subject.setting(), platform: subject.platform.clone(), text, tip: String::new() }
}

/// The scale for values of a unit; nothing where there are none above zero.
fn scale(unit: Unit, values: impl Iterator<Item = f64>) -> Option<Scale> {
    values.filter(|value| *value > 0.0).reduce(f64::min).map(|least| Scale::of(unit, least))
}

/// How far an estimate may be off, in a scale.
fn reach(estimate: &Estimate, scale: Scale) -> Spread {
    match estimate.interval {
        Some(interval) => Spread::Interval(scale.value(interval.low), scale.value(interval.high)),
        None if estimate.n > 1 => Spread::Range(scale.value(estimate.range.low), scale.value(estimate.range.high)),
        None => Spread::Unknown,
    }
}

fn tip(subject: &Subject, estimate: &Estimate, scale: Scale) -> String {
    format!("{subject}: {} {}, {}", scale.number(estimate.median), scale.name, within(estimate, scale))
}

/// The ends of an interval or range in words.
fn within(estimate: &Estimate, scale: Scale) -> String {
    let ends =
        |interval: tare_model::Interval| format!("{} to {}", scale.number(interval.low), scale.number(interval.high));
    match estimate.interval {
        Some(interval) => format!("95 % interval {}", ends(interval)),
        None if estimate.n > 1 => format!("range {}", ends(estimate.range)),
        None => "measured once".into(),
    }
}
