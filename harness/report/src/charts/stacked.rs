//! Wholes and their parts.

use plotters::element::Rectangle;

use super::axis::{Axis, drawable};
use super::canvas::{Align, Canvas, WIDTH, filled};
use super::colour::{ON_PART, ThemeColour, part_colour, platform_colour};
use super::rows::{Columns, Frame, RowChart};
use super::ticks::{self, Direction};
use super::{Caption, Quantity, Row, text};

/// A part of a [`Bar`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// Parts of one name have one colour, in all bars of a chart.
    pub name: String,
    /// In the unit of the axis; what is not positive is left out.
    pub value: f64,
    /// The value as text, without its unit; written into the part where it has room.
    pub text: String,
}

/// A row of [`Stacked`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bar {
    /// Whose bar it is, and the whole as text. The platform's colour is that of a small mark at the label; a part has its
    /// own tooltip, its name and text.
    pub row: Row,
    /// From left to right.
    pub parts: Vec<Part>,
}

/// A bar for each subject, of the parts that make up a whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stacked {
    /// The chart in words.
    pub caption: Caption,
    /// What the axis shows.
    pub quantity: Quantity,
    /// Shows parts as shares, so that every bar has the same length: for wholes too different for one even axis.
    pub normalise: bool,
    /// From top to bottom.
    pub rows: Vec<Bar>,
}

/// Half the height of a bar.
const HALF: i32 = 8;

/// The size of text within parts and in the legend.
const INSIDE: f64 = ticks::SIZE;

/// The height of a line of the legend.
const LEGEND: i32 = 18;

/// A part of a bar in pixels.
#[derive(Debug, Clone, Copy)]
struct Segment<'a> {
    part: &'a Part,
    /// The index of its name among all names.
    name: usize,
    from: i32,
    to: i32,
}

impl Segment<'_> {
    fn has_room(&self, words: &str) -> bool {
        !words.is_empty() && text::width(words, INSIDE) + 8.0 <= f64::from(self.to - self.from)
    }
}

fn positive(value: f64) -> f64 {
    drawable(value).unwrap_or(0.0).max(0.0)
}

impl Stacked {
    /// The chart as an SVG document, which may also stand within HTML.
    pub fn svg(&self) -> String {
        self.canvas().finish(&self.caption)
    }

    pub(super) fn canvas(&self) -> Canvas {
        let columns = Columns::of(self.rows.iter().map(|bar| &bar.row));
        let axis = self.axis(columns);
        let place = |value: f64| super::canvas::pixel(place(&axis, columns, value));
        let names = self.names();
        let bars: Vec<Vec<Segment>> = self.rows.iter().map(|row| self.segments(row, &names, place)).collect();
        let direct = direct(&bars, names.len());
        let (entries, header) = if direct.is_some() { (Vec::new(), 0) } else { legend(&names) };
        let quantity = self.shown_quantity();
        let note = match self.quantity.unit.as_str() {
            unit if self.normalise && !unit.is_empty() => format!("figures within the parts in {unit}"),
            _ => String::new(),
        };
        let frame = Frame { quantity: &quantity, reference: None, note: &note, header, guides: false };
        let chart = RowChart::new(columns, axis, frame, self.rows.len());
        for (index, (x, y)) in entries.into_iter().enumerate() {
            chart.canvas.draw(&Rectangle::new([(x, y - 5), (x + 10, y + 5)], filled(part_colour(index))));
            let room = f64::from(WIDTH - x - 16);
            let name = text::shortened(names[index], INSIDE, room);
            chart.canvas.themed_text(&name, (x + 15, y), Align::Left, INSIDE, ThemeColour::Text);
        }
        for (index, (Bar { row, .. }, segments)) in self.rows.iter().zip(&bars).enumerate() {
            let end = segments.last().map_or(columns.left, |segment| segment.to);
            chart.row(index, row, Some(end), |chart| {
                let y = chart.y(index);
                let swatch = filled(platform_colour(&row.platform));
                chart
                    .canvas
                    .draw(&Rectangle::new([(columns.left - 7, y - HALF), (columns.left - 3, y + HALF)], swatch));
                for segment in segments {
                    draw_segment(chart, segment, y, direct == Some(index));
                }
            });
        }
        chart.canvas
    }

    fn axis(&self, columns: Columns) -> Axis {
        if self.normalise {
            return Axis::shares();
        }
        let wholes = self.rows.iter().map(|row| row.parts.iter().map(|part| positive(part.value)).sum::<f64>());
        let wholes: Vec<f64> = wholes.collect();
        // Lengths add up only on an even axis, whatever the range.
        let longest = wholes.iter().copied().fold(0.0, f64::max);
        Axis::of(super::AxisScale::Auto, &[longest], &[], Direction::Across, columns.width())
    }

    fn shown_quantity(&self) -> Quantity {
        if self.normalise {
            let of = if self.quantity.name.is_empty() { "the whole" } else { &self.quantity.name };
            Quantity { name: format!("share of {of}"), unit: "%".into() }
        } else {
            self.quantity.clone()
        }
    }

    /// All names of parts, in an order in which each bar has them, if there is one: a name that is new with a bar comes after
    /// the part before it there, or else before the first known one after it, or else last.
    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in &self.rows {
            let shown: Vec<&str> =
                row.parts.iter().filter(|part| positive(part.value) > 0.0).map(|part| part.name.as_str()).collect();
            let place = |names: &[&str], wanted: &str| names.iter().position(|name| *name == wanted);
            let first_known = shown.iter().find_map(|name| place(&names, name));
            let mut next = first_known.unwrap_or(names.len());
            for name in shown {
                let found = place(&names, name).unwrap_or_else(|| {
                    names.insert(next, name);
                    next
                });
                next = found + 1;
            }
        }
        names
    }

    fn segments<'a>(&self, row: &'a Bar, names: &[&str], place: impl Fn(f64) -> i32) -> Vec<Segment<'a>> {
        let whole: f64 = row.parts.iter().map(|part| positive(part.value)).sum();
        let factor = if self.normalise && whole > 0.0 { 100.0 / whole } else { 1.0 };
        let mut so_far = 0.0;
        let shown = row.parts.iter().filter(|part| positive(part.value) > 0.0);
        shown
            .filter_map(|part| {
                let from = place(so_far * factor);
                so_far += positive(part.value);
                let name = names.iter().position(|name| *name == part.name)?;
                Some(Segment { part, name, from, to: place(so_far * factor) })
            })
            .collect()
    }
}

fn place(axis: &Axis, columns: Columns, value: f64) -> f64 {
    use plotters::coord::ranged1d::Ranged;
    f64::from(axis.map(&value, (columns.left, columns.right)))
}

/// The first row with room for all names within its parts: they are written there. `None` where there is none, so that a
/// legend is needed: names strewn over several rows would have to be looked for.
fn direct(bars: &[Vec<Segment>], names: usize) -> Option<usize> {
    let has_all = |bar: &Vec<Segment>| {
        (0..names).all(|name| bar.iter().any(|segment| segment.name == name && segment.has_room(&segment.part.name)))
    };
    bars.iter().position(has_all)
}

/// The middle of the left edge of an entry of the legend.
type Place = (i32, i32);

/// Where the entries of the legend stand, and the height of all.
fn legend(names: &[&str]) -> (Vec<Place>, i32) {
    let (mut x, mut y) = (2, LEGEND / 2 + 2);
    let mut entries = Vec::new();
    for name in names {
        let width = super::canvas::pixel(text::width(name, INSIDE).ceil()).min(WIDTH - 20) + 15;
        if x > 2 && x + width > WIDTH - 2 {
            (x, y) = (2, y + LEGEND);
        }
        entries.push((x, y));
        x += width + 16;
    }
    (entries, y + LEGEND / 2 + 4)
}

fn draw_segment(chart: &RowChart, segment: &Segment, y: i32, with_name: bool) {
    let Segment { part, name, from, to } = *segment;
    let tip = format!("{} {}", part.name, part.text);
    chart.canvas.tipped(tip.trim(), || {
        // A gap between neighbours, but never at the cost of the part itself, which is seen however small it is.
        let end = if to - from > 3 { to - 1 } else { to.max(from + 1) };
        chart.canvas.draw(&Rectangle::new([(from, y - HALF), (end, y + HALF)], filled(part_colour(name))));
        let both = format!("{} {}", part.name, part.text);
        let choices: &[&str] = if with_name { &[&both, &part.name] } else { &[&part.text] };
        if let Some(words) = choices.iter().map(|words| words.trim()).find(|words| segment.has_room(words)) {
            chart.canvas.text(words, (i32::midpoint(from, end), y), Align::Middle, INSIDE, ON_PART);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(rows: &[&[(&str, f64)]]) -> Stacked {
        let part = |(name, value): &(&str, f64)| Part { name: (*name).into(), value: *value, text: value.to_string() };
        let bar = |parts: &&[(&str, f64)]| Bar { parts: parts.iter().map(part).collect(), ..Bar::default() };
        Stacked { rows: rows.iter().map(bar).collect(), ..Stacked::default() }
    }

    #[test]
    fn names_come_in_the_order_of_the_bars() {
        let chart = chart(&[
            &[("spawn", 1.0), ("listen", 1.0)],
            &[("spawn", 1.0), ("engine", 1.0), ("load", 0.0), ("listen", 1.0), ("answer", 1.0)],
            &[("create", 1.0), ("ready", f64::NAN)],
        ]);
        assert_eq!(chart.names(), ["spawn", "engine", "listen", "answer", "create"]);
    }

    #[test]
    fn names_stand_within_a_bar_or_else_in_a_legend() {
        let texts = |chart: Stacked| -> Vec<String> {
            chart.canvas().texts().into_iter().map(|(words, _)| words).filter(|words| words.contains('e')).collect()
        };
        let service = ("service", 3.0);
        assert_eq!(texts(chart(&[&[service], &[service, ("engine", 5.0)]])), ["service 3", "engine 5"]);
        assert_eq!(texts(chart(&[&[service], &[service, ("engine", 0.1)]])), ["service", "engine"]);
    }
}
