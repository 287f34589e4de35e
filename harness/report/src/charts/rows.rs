//! What the charts with a row per subject have in common: labels at the left, an axis, figures at the right.

use plotters::coord::ranged1d::Ranged;

use super::axis::Axis;
use super::canvas::{Align, Canvas, Plot, WIDTH, pixel};
use super::colour::ThemeColour;
use super::{Quantity, Reference, text};

/// The height of a row.
pub(super) const HEIGHT: i32 = 24;

/// The size of labels and figures.
pub(super) const SIZE: f64 = 12.5;

/// From this number of rows on, the axis is named above the rows too.
const BOTH_ENDS: usize = 16;

/// The height of a line of ticks, of a title, of notes.
const LINE: i32 = 17;

/// What the row of a chart says in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Whose row it is, such as `wasmtime/aot`.
    pub label: String,
    /// The platform, which gives the colour.
    pub platform: String,
    /// The value as text with its unit, at the end of the row.
    pub text: String,
    /// The tooltip; label and text where empty.
    pub tip: String,
}

/// The columns, in pixels: labels before `left`, marks up to `right`, figures after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    pub left: i32,
    pub right: i32,
}

impl Columns {
    pub(super) fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        let (labels, figures) = rows.fold((40.0_f64, 24.0_f64), |(labels, figures), row| {
            (labels.max(text::width(&row.label, SIZE)), figures.max(text::width(&row.text, SIZE)))
        });
        let (labels, figures) = (labels.ceil().min(260.0), figures.ceil().min(200.0));
        Self { left: pixel(labels) + 14, right: WIDTH - pixel(figures) - 14 }
    }

    pub(super) fn width(self) -> i32 {
        self.right - self.left
    }
}

/// What is around the rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub quantity: &'a Quantity,
    pub reference: Option<&'a Reference>,
    /// What the marks are, for the reader.
    pub note: &'a str,
    /// The height of what the chart itself puts above the rows.
    pub header: i32,
    /// Whether a thin line along each row guides the eye from the label to its mark.
    pub guides: bool,
}

/// A chart with rows, its surroundings drawn.
pub(super) struct RowChart {
    pub canvas: Canvas,
    /// y is the number of the row, counted from 0; its middle is half of one more.
    pub plot: Plot,
    pub axis: Axis,
    columns: Columns,
    top: i32,
}

impl RowChart {
    pub(super) fn new(columns: Columns, axis: Axis, frame: Frame, rows: usize) -> Self {
        let both_ends = rows >= BOTH_ENDS;
        let count = i32::try_from(rows.max(1)).unwrap_or(i32::MAX / HEIGHT / 2).min(10_000);
        let reference = frame.reference.filter(|reference| axis.has(reference.value));
        let above = [both_ends, reference.is_some()].map(|shown| if shown { LINE } else { 0 });
        let top = 4 + frame.header + above[0] + above[1];
        let bottom = top + count * HEIGHT;
        let below = LINE * if frame.note.is_empty() { 2 } else { 3 };
        let canvas = Canvas::new(bottom + below + 6);
        let y = Axis::between(0.0, f64::from(count), false);
        let plot = canvas.plot(axis.clone(), y, columns.left..columns.right, top..bottom);
        let chart = Self { canvas, plot, axis, columns, top };
        chart.grid(bottom, if frame.guides { rows } else { 0 });
        chart.names(bottom + LINE / 2 + 5, None);
        if both_ends {
            chart.names(top - LINE / 2, reference.map(|reference| chart.x(reference.value)));
        }
        let words = |words: &str, line: i32| {
            let words = text::shortened(words, super::ticks::SIZE, f64::from(WIDTH - 4));
            let latest = WIDTH - 2 - pixel(text::width(&words, super::ticks::SIZE).ceil());
            chart.canvas.muted(&words, (columns.left.min(latest), bottom + LINE / 2 + 4 + line * LINE), Align::Left);
        };
        words(&frame.quantity.title(chart.axis.log), 1);
        words(frame.note, 2);
        if let Some(reference) = reference {
            chart.reference(reference, 4 + frame.header + LINE / 2, bottom);
        }
        if rows == 0 {
            chart.canvas.muted("no data", (columns.left + 8, top + HEIGHT / 2), Align::Left);
        }
        chart
    }

    /// The pixel of a value.
    pub(super) fn x(&self, value: f64) -> i32 {
        self.axis.map(&value, (self.columns.left, self.columns.right))
    }

    /// The pixel of the middle of a row.
    pub(super) fn y(&self, row: usize) -> i32 {
        self.top + i32::try_from(row).unwrap_or(0) * HEIGHT + HEIGHT / 2
    }

    /// A row: its words, its marks, and a tooltip over all of it. The figure stands in its column, or right after a place.
    pub(super) fn row(&self, index: usize, row: &Row, figure_at: Option<i32>, marks: impl FnOnce(&Self)) {
        let (y, text_colour) = (self.y(index), ThemeColour::Text);
        let label = text::shortened(&row.label, SIZE, f64::from(self.columns.left - 12));
        let fallback = format!("{}: {}", row.label, row.text);
        self.canvas.tipped_of(if row.tip.is_empty() { &fallback } else { &row.tip }, &row.platform, || {
            self.canvas.hit((0, y - HEIGHT / 2), (WIDTH, HEIGHT));
            self.canvas.themed_text(&label, (2, y), Align::Left, SIZE, text_colour);
            let figure = text::shortened(&row.text, SIZE, f64::from(WIDTH - self.columns.right - 10));
            match figure_at {
                Some(x) => self.canvas.themed_text(&figure, (x + 8, y), Align::Left, SIZE, text_colour),
                None => self.canvas.themed_text(&figure, (WIDTH - 2, y), Align::Right, SIZE, text_colour),
            }
            marks(self);
        });
    }

    fn grid(&self, bottom: i32, guides: usize) {
        let Columns { left, right } = self.columns;
        for tick in &self.axis.ticks {
            let x = self.x(tick.at);
            self.canvas.themed_line((x, self.top), (x, bottom), ThemeColour::Grid, 1);
        }
        for y in (0..guides).map(|row| self.y(row)) {
            self.canvas.themed_line((left, y), (right, y), ThemeColour::Grid, 1);
        }
        self.canvas.themed_line((left, bottom), (right, bottom), ThemeColour::Axis, 1);
        for tick in &self.axis.ticks {
            let x = self.x(tick.at);
            self.canvas.themed_line((x, bottom), (x, bottom + 4), ThemeColour::Axis, 1);
        }
    }

    /// The names of the ticks, but for those that a line at some pixel would go through.
    fn names(&self, y: i32, line: Option<i32>) {
        for tick in &self.axis.ticks {
            let x = self.x(tick.at);
            let half = text::width(&tick.label, super::ticks::SIZE) / 2.0 + 3.0;
            if line.is_none_or(|line| f64::from((line - x).abs()) > half) {
                self.canvas.muted(&tick.label, (x, y), Align::Middle);
            }
        }
    }

    fn reference(&self, reference: &Reference, y: i32, bottom: i32) {
        let x = self.x(reference.value);
        let label = text::shortened(&reference.label, super::ticks::SIZE, f64::from(WIDTH - 4));
        let half = pixel((text::width(&label, super::ticks::SIZE) / 2.0).ceil());
        self.canvas.tipped(&reference.label, || {
            self.canvas.themed_line((x, y + LINE / 2), (x, bottom), ThemeColour::Reference, 1);
            self.canvas.muted(&label, (x.clamp(half + 2, (WIDTH - half - 2).max(half + 2)), y), Align::Middle);
        });
    }
}
