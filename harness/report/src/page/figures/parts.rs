//! Charts with a bar for each subject, of parts.

use tare_model::Subject;

use super::{Drawing, View, headings};
use crate::catalogue::{self, Parts};
use crate::charts::{Bar, Part, Quantity, Stacked};
use crate::escape;
use crate::format::Scale;

fn part(name: &str, value: f64, scale: Scale) -> Part {
    Part { name: name.into(), value: scale.value(value), text: scale.number(value) }
}

impl View<'_> {
    /// A bar of the phases that add up to the entry's.
    pub(super) fn phases(self, whole: &str) -> Option<Drawing> {
        let (totals, scale) = self.cells()?;
        let shown = totals.iter().filter_map(|(subject, total)| {
            let own = self.summary().cells.iter().filter(|cell| {
                cell.subject == **subject && cell.metric == self.entry.metric && cell.phase != self.entry.phase
            });
            let name = |name: &str| escape::line(name).replace('_', " ");
            let parts: Vec<Part> = own.map(|cell| part(&name(&cell.phase.name), cell.value.median, scale)).collect();
            let shown = parts.iter().map(|part| format!("{} {}", part.name, part.text)).collect::<Vec<_>>().join(", ");
            let whole = format!("{} {}", scale.number(total.value.median), scale.name);
            let line = vec![self.label(subject), whole.clone(), shown];
            (!parts.is_empty()).then(|| (Bar { row: self.row(subject, whole), parts }, line))
        });
        let (rows, table): (Vec<Bar>, Vec<Vec<String>>) = shown.unzip();
        if rows.is_empty() {
            return None;
        }
        let quantity = Quantity { name: whole.into(), unit: scale.name.into() };
        let chart = Stacked { caption: self.caption(), quantity, normalise: true, rows };
        let parts = format!("parts, {}", scale.name);
        Some(Drawing { svg: chart.svg(), headings: headings(&["subject", "total", &parts]), rows: table })
    }

    /// A bar of what the entry's value consists of, and of what is added to it.
    pub(super) fn parts(self, parts: &Parts) -> Option<Drawing> {
        let subjects = self.service.subjects.iter();
        let shown: Vec<(&Subject, Vec<f64>)> =
            subjects.filter_map(|subject| Some((subject, self.values(subject, parts)?))).collect();
        let scale = self.scale(shown.iter().map(|(_, values)| values.iter().sum()))?;
        let within = parts.within.iter().map(|(name, ..)| *name);
        let names: Vec<&str> =
            std::iter::once(parts.rest).chain(within).chain(parts.added.iter().map(|(name, ..)| *name)).collect();
        let all = |values: &[f64]| scale.number(values.iter().sum());
        let bar = |(subject, values): &(&Subject, Vec<f64>)| {
            let row = self.row(subject, format!("{} {}", all(values), scale.name));
            Bar { row, parts: names.iter().zip(values).map(|(name, value)| part(name, *value, scale)).collect() }
        };
        let chart = Stacked {
            caption: self.caption(),
            quantity: Quantity { name: parts.whole.into(), unit: scale.name.into() },
            normalise: parts.shares,
            rows: shown.iter().map(bar).collect(),
        };
        let table = shown.iter().map(|(subject, values)| {
            let numbers = values.iter().map(|value| scale.number(*value));
            std::iter::once(self.label(subject)).chain(numbers).chain([all(values)]).collect()
        });
        let total = format!("all, {}", scale.name);
        let headings: Vec<&str> = std::iter::once("subject").chain(names.iter().copied()).chain([&*total]).collect();
        Some(Drawing { svg: chart.svg(), headings: super::headings(&headings), rows: table.collect() })
    }

    /// What is left of a subject's value, the parts within it, and those added to it; `None` where it has no value.
    fn values(self, subject: &Subject, parts: &Parts) -> Option<Vec<f64>> {
        let whole = self.cell(subject)?.value.median;
        let of = |parts: &[catalogue::Part]| -> Vec<f64> {
            parts.iter().map(|(_, metric, phase)| self.median(subject, metric, *phase).unwrap_or(0.0)).collect()
        };
        let mut rest = whole;
        let mut within = of(parts.within);
        for part in &mut within {
            // Parts are medians of their own, and may be more than what is left.
            *part = part.min(rest);
            rest -= *part;
        }
        Some(std::iter::once(rest).chain(within).chain(of(parts.added)).collect())
    }
}
