//! Charts for pages, as SVG: plain data in, text out.
//!
//! All of them share the width, the type, one colour per platform ([`platform_colour`]) and the axes: from zero, or
//! logarithmic where the range demands it, and then the title of the axis says so. Whatever is handed in, a chart comes
//! out: values that are no numbers have no mark, and no text is cut or covers another.
//!
//! A picture needs nothing from outside, has no background, and follows the theme of the system. A page with a theme of
//! its own sets `.tare-chart .fg` and `.tare-chart .muted` (`fill`), `.strong`, `.reference`, `.axis` and `.grid`
//! (`stroke`).
//!
//! plotters brings coordinates and shapes. What it would have to measure fonts for, these modules do with an estimate of
//! their own, since the machine that makes a report may have no font.

mod axis;
mod canvas;
mod colour;
mod curves;
mod dots;
mod labels;
mod place;
mod rows;
mod stacked;
mod strip;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod ticks;

pub(crate) use axis::LOG_FROM;
pub use colour::{Rgb, platform_colour};
pub use curves::{Abscissa, Curve, Curves, Point};
pub use dots::{Dot, Dots, Spread};
pub use rows::Row;
pub use stacked::{Bar, Part, Stacked};
pub use strip::{Samples, Strip};

/// A chart in words, for those who do not see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caption {
    /// What the chart shows.
    pub title: String,
    /// What there is to see in it.
    pub description: String,
}

/// What an axis shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quantity {
    /// Its name, such as `cold start`.
    pub name: String,
    /// The unit of every value on the axis; empty for plain numbers.
    pub unit: String,
}

impl Quantity {
    /// The title of an axis.
    fn title(&self, log: bool) -> String {
        let separator = if self.name.is_empty() || self.unit.is_empty() { "" } else { ", " };
        let title = format!("{}{separator}{}", self.name, self.unit);
        if log { format!("{title} (log scale)").trim_start().into() } else { title }
    }
}

/// How an axis lays out its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AxisScale {
    /// Evenly from zero; by ratios where the largest value is more than thirty times the smallest that is positive.
    #[default]
    Auto,
    /// By ratios.
    Log,
    /// By ratios, 1 in the middle.
    Ratio,
}

/// A value that others are compared with, drawn as a line across the plot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reference {
    /// In the unit of the axis.
    pub value: f64,
    /// What it is, such as `native/process 0.94 ms`.
    pub label: String,
}
