//! A value per subject, with what is known about its precision.

use plotters::element::{Circle, PathElement};
use plotters::style::ShapeStyle;

use super::axis::Axis;
use super::canvas::{Canvas, draw, filled, line, translucent};
use super::colour::platform_colour;
use super::rows::{Columns, Frame, RowChart};
use super::ticks::Direction;
use super::{AxisScale, Caption, Quantity, Reference, Row};

/// How far a value may be off.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Spread {
    /// Nothing is known, as with one round.
    #[default]
    Unknown,
    /// The 95 % interval from the first value to the second, in the unit of the axis: a solid line with ends.
    Interval(f64, f64),
    /// The smallest and the largest value seen, where there are too few rounds for an interval: a thin dashed line.
    Range(f64, f64),
}

impl Spread {
    fn ends(self) -> Option<(f64, f64)> {
        match self {
            Self::Unknown => None,
            Self::Interval(low, high) | Self::Range(low, high) => Some((low.min(high), low.max(high))),
        }
    }
}

/// A row of [`Dots`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dot {
    /// Whose value it is, and the value as text.
    pub row: Row,
    /// In the unit of the axis; NaN where there is none, and then the row has no mark.
    pub value: f64,
    /// How far it may be off.
    pub spread: Spread,
}

/// A row for each subject: a dot, and a line for how far it may be off.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dots {
    /// The chart in words.
    pub caption: Caption,
    /// What the axis shows.
    pub quantity: Quantity,
    /// How it shows it.
    pub scale: AxisScale,
    /// A line through all rows, as a rule at the value of the native process.
    pub reference: Option<Reference>,
    /// From top to bottom.
    pub rows: Vec<Dot>,
}

impl Dots {
    /// The chart as an SVG document, which may also stand within HTML.
    pub fn svg(&self) -> String {
        self.canvas().finish(&self.caption)
    }

    pub(super) fn canvas(&self) -> Canvas {
        let columns = Columns::of(self.rows.iter().map(|dot| &dot.row));
        let values: Vec<f64> = self.rows.iter().map(|row| row.value).collect();
        let spreads = self.rows.iter().filter(|row| row.value.is_finite()).filter_map(|row| row.spread.ends());
        let reference = self.reference.iter().map(|reference| reference.value);
        let others: Vec<f64> = spreads.flat_map(|(low, high)| [low, high]).chain(reference).collect();
        let axis = Axis::of(self.scale, &values, &others, Direction::Across, columns.width());
        let frame = Frame {
            quantity: &self.quantity,
            reference: self.reference.as_ref(),
            note: &self.note(),
            header: 0,
            guides: true,
        };
        let chart = RowChart::new(columns, axis, frame, self.rows.len());
        for (index, dot) in self.rows.iter().enumerate() {
            chart.row(index, &dot.row, None, |chart| mark(chart, index, dot));
        }
        chart.canvas
    }

    /// What the lines are, of which there may be two kinds.
    fn note(&self) -> String {
        let has = |wanted: fn(&Spread) -> bool| self.rows.iter().any(|row| wanted(&row.spread));
        let intervals =
            has(|spread| matches!(spread, Spread::Interval(..))).then_some("solid line: 95 % interval of the median");
        let ranges = has(|spread| matches!(spread, Spread::Range(..)))
            .then_some("dashed line: range of all rounds, too few for an interval");
        let notes: Vec<&str> = intervals.into_iter().chain(ranges).collect();
        notes.join("; ")
    }
}

fn mark(chart: &RowChart, index: usize, dot: &Dot) {
    let colour = platform_colour(&dot.row.platform);
    let (x, y) = (chart.x(dot.value), chart.y(index));
    if !dot.value.is_finite() {
        return;
    }
    let whole = |style: ShapeStyle, (low, high): (f64, f64)| {
        let middle = index as f64 + 0.5;
        draw(&chart.plot, &PathElement::new([(low, middle), (high, middle)], style));
    };
    match (dot.spread, dot.spread.ends()) {
        (Spread::Interval(..), Some(ends)) => {
            whole(line(colour, 2), ends);
            // An end beyond the axis is none.
            for end in [ends.0, ends.1].into_iter().filter(|end| chart.axis.reaches(*end)) {
                let x = chart.x(end);
                chart.canvas.line((x, y - 4), (x, y + 4), line(colour, 2));
            }
        }
        (Spread::Range(..), Some(ends)) => {
            let style = ShapeStyle::from(translucent(colour, 0.6)).stroke_width(2);
            chart.canvas.dashed("4 2", || whole(style, ends));
        }
        _ => {}
    }
    // A ring at the edge: the value is what no log axis has a place for.
    let style = if chart.axis.has(dot.value) { filled(colour) } else { line(colour, 2) };
    chart.canvas.draw(&Circle::new((x, y), 5, style));
}
