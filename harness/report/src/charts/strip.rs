//! Every sample of every subject.

use plotters::element::Circle;
use plotters::style::Color;

use super::axis::Axis;
use super::canvas::{Canvas, pixel, translucent};
use super::colour::{ThemeColour, platform_colour};
use super::rows::{Columns, Frame, HEIGHT, RowChart};
use super::ticks::Direction;
use super::{AxisScale, Caption, Quantity, Reference, Row};

/// A row of [`Strip`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Samples {
    /// Whose they are, and their median as text.
    pub row: Row,
    /// In the unit of the axis; those that are no numbers have no dot.
    pub samples: Vec<f64>,
}

/// A row for each subject: a translucent dot for each sample, a tick at their median.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Strip {
    /// The chart in words.
    pub caption: Caption,
    /// What the axis shows.
    pub quantity: Quantity,
    /// How it shows it.
    pub scale: AxisScale,
    /// A line through all rows.
    pub reference: Option<Reference>,
    /// From top to bottom.
    pub rows: Vec<Samples>,
}

impl Strip {
    /// The chart as an SVG document, which may also stand within HTML.
    pub fn svg(&self) -> String {
        self.canvas().finish(&self.caption)
    }

    pub(super) fn canvas(&self) -> Canvas {
        let columns = Columns::of(self.rows.iter().map(|samples| &samples.row));
        let values: Vec<f64> = self.rows.iter().flat_map(|row| &row.samples).copied().collect();
        let reference: Vec<f64> = self.reference.iter().map(|reference| reference.value).collect();
        let axis = Axis::of(self.scale, &values, &reference, Direction::Across, columns.width());
        let note = "each dot is a sample (its height within the row means nothing); the tick is their median";
        let frame =
            Frame { quantity: &self.quantity, reference: self.reference.as_ref(), note, header: 0, guides: false };
        let chart = RowChart::new(columns, axis, frame, self.rows.len());
        for (index, samples) in self.rows.iter().enumerate() {
            chart.row(index, &samples.row, None, |chart| marks(chart, index, samples));
        }
        chart.canvas
    }
}

fn marks(chart: &RowChart, index: usize, Samples { row, samples }: &Samples) {
    let y = chart.y(index);
    let dot = translucent(platform_colour(&row.platform), 0.5).filled();
    let seen: Vec<f64> = samples.iter().copied().filter(|sample| chart.axis.has(*sample)).collect();
    for (number, sample) in seen.iter().enumerate() {
        chart.canvas.draw(&Circle::new((chart.x(*sample), y + jitter(number)), 3, dot));
    }
    if let Some(median) = tare_stats::median(&seen) {
        let x = chart.x(median);
        chart.canvas.themed_line((x, y - 9), (x, y + 9), ThemeColour::Strong, 2);
    }
}

/// How far from the middle of its row the n-th dot lies: multiples of the golden ratio fill any interval evenly, however
/// many there are.
fn jitter(number: usize) -> i32 {
    let share = (number as f64 * 0.618_033_988_749_895).fract();
    pixel((share - 0.5) * f64::from(HEIGHT - 10))
}
