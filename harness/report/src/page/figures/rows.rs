//! Charts with a dot for each subject or sample, and those of ratios around 1.

use tare_model::{Subject, VariantId};
use tare_stats::{Cell, Estimate, Workload, paired_sums};

use super::{Drawing, View, headings, within};
use crate::charts::{AxisScale, Dot, Dots, Quantity, Reference, Row, Samples, Spread, Strip};
use crate::escape;
use crate::format::{Scale, number, ratio, spread};
use crate::sides::baselines;

/// Stands where there is no interval.
const NONE: &str = "–";

impl View<'_> {
    /// The row of a subject.
    pub(super) fn row(self, subject: &Subject, text: String) -> Row {
        Row { label: self.label(subject), platform: subject.platform.clone(), text, tip: String::new() }
    }

    fn quantity(self, scale: Scale) -> Quantity {
        Quantity { name: self.heading.title.to_owned(), unit: scale.name.into() }
    }

    /// The value of the reference, as a line.
    fn reference(self, scale: Scale) -> Option<Reference> {
        let subject = self.summary().reference.of(&self.service.name)?;
        let cell = self.cell(subject)?;
        Some(Reference { value: scale.value(cell.value.median), label: self.label(subject) })
    }

    /// A dot for each subject that has a value. Lower bounds say so and have no interval.
    pub(super) fn dots(self) -> Option<Drawing> {
        let (cells, scale) = self.cells()?;
        let (rows, table) = cells.iter().map(|(subject, cell)| self.dot(subject, cell, scale)).unzip();
        let chart = Dots {
            caption: self.caption(),
            quantity: self.quantity(scale),
            reference: self.reference(scale),
            rows,
            ..Dots::default()
        };
        let unit = format!("median, {}", scale.name);
        Some(Drawing { svg: chart.svg(), headings: headings(&["subject", &unit, "interval", "rounds"]), rows: table })
    }

    fn dot(self, subject: &Subject, cell: &Cell, scale: Scale) -> (Dot, Vec<String>) {
        let value = scale.number(cell.value.median);
        let (value, short, long, drawn) = if self.summary().is_lower_bound(cell) {
            (format!("≥{value}"), String::new(), "a lower bound".to_owned(), Spread::Unknown)
        } else {
            let long = within(&cell.value, |value| scale.number(value));
            (value, spread(&cell.value), long, reach(&cell.value, |value| scale.value(value)))
        };
        let row = Row {
            tip: format!("{subject}: {value} {}, {long}", scale.name),
            ..self.row(subject, format!("{value} {short}").trim_end().to_owned())
        };
        let dot = Dot { row, value: scale.value(cell.value.median), spread: drawn };
        (dot, vec![self.label(subject), value, long, cell.value.n.to_string()])
    }

    /// A dot for each sample.
    pub(super) fn samples(self) -> Option<Drawing> {
        let (cells, scale) = self.cells()?;
        let of = |(subject, cell): &(&Subject, &Cell)| {
            let own = self.content.samples.iter().filter(|sample| {
                sample.subject == **subject && sample.metric == self.entry.metric && sample.phase == self.entry.phase
            });
            let samples: Vec<f64> = own.map(|sample| scale.value(sample.value)).collect();
            let shown: Vec<String> = samples.iter().map(|value| number(*value)).collect();
            let row = self.row(subject, scale.number(cell.value.median));
            (Samples { row, samples }, vec![self.label(subject), shown.join(", ")])
        };
        let (rows, table) = cells.iter().map(of).unzip();
        let chart = Strip {
            caption: self.caption(),
            quantity: self.quantity(scale),
            reference: self.reference(scale),
            rows,
            ..Strip::default()
        };
        let samples = format!("samples, {}", scale.name);
        Some(Drawing { svg: chart.svg(), headings: headings(&["subject", &samples]), rows: table })
    }

    /// A dot for each variant that was measured with its baseline: its ratio to that.
    pub(super) fn over_baselines(self) -> Option<Drawing> {
        let service = self.service;
        let shown = baselines(self.content.record).into_iter().flat_map(|(id, baseline)| {
            service.implementations().into_iter().filter_map(move |implementation| {
                let workload = Workload { service: &service.name, implementation };
                let (of, over) = (workload.subject(&id), workload.subject(&baseline.variant));
                let estimate = paired_sums(self.content.samples, &of, &over, &self.entry.sum())?;
                Some(self.ratio(&of, &baseline.variant, &baseline.difference, &estimate))
            })
        });
        let (rows, table): (Vec<Dot>, Vec<Vec<String>>) = shown.unzip();
        if rows.is_empty() {
            return None;
        }
        let chart = Dots {
            caption: self.caption(),
            quantity: Quantity { name: self.heading.title.into(), unit: String::new() },
            scale: AxisScale::Ratio,
            reference: Some(Reference { value: 1.0, label: "no difference".into() }),
            rows,
        };
        // Said once, above them all.
        let interval = if table.iter().any(|row| row.last().is_some_and(|ends| ends == NONE)) {
            "95 % interval (– for fewer than six rounds)"
        } else {
            "95 % interval"
        };
        let headings = headings(&["variant", "baseline", "the one difference", "ratio", interval]);
        Some(Drawing { svg: chart.svg(), headings, rows: table })
    }

    fn ratio(self, of: &Subject, over: &VariantId, difference: &str, estimate: &Estimate) -> (Dot, Vec<String>) {
        let (shown, difference) = (ratio(estimate.median), escape::line(difference));
        let row = Row {
            tip: format!("{of} over {over} ({difference}): {shown}"),
            ..self.row(of, format!("{shown} {}", spread(estimate)).trim_end().to_owned())
        };
        let dot = Dot { row, value: estimate.median, spread: reach(estimate, |value| value) };
        let ends = estimate
            .interval
            .map_or_else(|| NONE.to_owned(), |interval| format!("{} to {}", ratio(interval.low), ratio(interval.high)));
        (dot, vec![self.label(of), escape::line(&over.to_string()), difference, shown, ends])
    }
}

/// How far an estimate may be off, on an axis.
fn reach(estimate: &Estimate, value: impl Fn(f64) -> f64) -> Spread {
    match estimate.interval {
        Some(interval) => Spread::Interval(value(interval.low), value(interval.high)),
        None if estimate.n > 1 => Spread::Range(value(estimate.range.low), value(estimate.range.high)),
        None => Spread::Unknown,
    }
}
