//! The canvas: what every chart draws with.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::{CoordTranslate, Shift};
use plotters::drawing::DrawingArea;
use plotters::element::{CoordMapper, Drawable, PathElement, PointCollection, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontFamily, RGBAColor, RGBColor, ShapeStyle, TextStyle};

use super::Caption;
use super::axis::Axis;
use super::colour::{Rgb, ThemeColour};
#[cfg(test)]
use super::place::Area;
use super::svg::Svg;

/// The width of every chart, in its own pixels.
pub(super) const WIDTH: i32 = 760;

/// The part of a canvas that has axes.
pub(super) type Plot = DrawingArea<Svg, Cartesian2d<Axis, Axis>>;

/// A canvas of which the origin is the upper left corner.
pub(super) struct Canvas {
    backend: Rc<RefCell<Svg>>,
    area: DrawingArea<Svg, Shift>,
}

/// The nearest pixel.
pub(super) fn pixel(place: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "casts saturate, and NaN becomes 0")]
    let pixel = place.round() as i32;
    pixel
}

/// Draws an element of plotters. The backend writes to memory, so there is nothing that can fail.
pub(super) fn draw<'a, C, E, B>(area: &DrawingArea<Svg, C>, element: &'a E)
where
    C: CoordTranslate,
    B: CoordMapper,
    &'a E: PointCollection<'a, C::From, B>,
    E: Drawable<Svg, B>,
{
    let drawn = area.draw(element);
    debug_assert!(drawn.is_ok(), "{drawn:?}");
}

/// A line of a colour.
pub(super) fn line(colour: Rgb, width: u32) -> ShapeStyle {
    ShapeStyle::from(RGBColor::from(colour)).stroke_width(width)
}

/// An area of a colour.
pub(super) fn filled(colour: Rgb) -> ShapeStyle {
    RGBColor::from(colour).filled()
}

/// A colour through which others show.
pub(super) fn translucent(colour: Rgb, share: f64) -> RGBAColor {
    RGBColor::from(colour).mix(share)
}

/// Where a text stands in relation to its place; vertically it is always in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

impl Canvas {
    pub(super) fn new(height: i32) -> Self {
        let backend = Rc::new(RefCell::new(Svg::new((WIDTH.unsigned_abs(), height.max(1).unsigned_abs()))));
        let area = DrawingArea::from(&backend);
        Self { backend, area }
    }

    /// The area between two axes.
    pub(super) fn plot(&self, x: Axis, y: Axis, across: Range<i32>, down: Range<i32>) -> Plot {
        self.area.apply_coord_spec(Cartesian2d::new(x, y, (across, down)))
    }

    /// Draws something at pixels.
    pub(super) fn draw<'a, E, B>(&self, element: &'a E)
    where
        B: CoordMapper,
        &'a E: PointCollection<'a, (i32, i32), B>,
        E: Drawable<Svg, B>,
    {
        draw(&self.area, element);
    }

    /// Draws a line in pixels.
    pub(super) fn line(&self, from: (i32, i32), to: (i32, i32), style: ShapeStyle) {
        self.draw(&PathElement::new([from, to], style));
    }

    pub(super) fn text(&self, text: &str, place: (i32, i32), align: Align, size: f64, colour: Rgb) {
        let across = match align {
            Align::Left => HPos::Left,
            Align::Middle => HPos::Center,
            Align::Right => HPos::Right,
        };
        let colour = RGBColor::from(colour);
        let style = TextStyle::from((FontFamily::SansSerif, size)).color(&colour).pos(Pos::new(across, VPos::Center));
        self.draw(&Text::new(text, place, style));
    }

    /// Text in a colour of the page's theme.
    pub(super) fn themed_text(&self, text: &str, place: (i32, i32), align: Align, size: f64, colour: ThemeColour) {
        self.themed(colour, || self.text(text, place, align, size, colour.light()));
    }

    /// Text in the colour of what is less important.
    pub(super) fn muted(&self, text: &str, place: (i32, i32), align: Align) {
        self.themed_text(text, place, align, super::ticks::SIZE, ThemeColour::Muted);
    }

    /// Draws a line in pixels, in a colour of the page's theme.
    pub(super) fn themed_line(&self, from: (i32, i32), to: (i32, i32), colour: ThemeColour, width: u32) {
        self.themed(colour, || self.line(from, to, line(colour.light(), width)));
    }

    /// What is drawn meanwhile has a colour of the page's theme.
    fn themed(&self, colour: ThemeColour, draw: impl FnOnce()) {
        self.backend.borrow_mut().theme = Some(colour);
        draw();
        self.backend.borrow_mut().theme = None;
    }

    /// What is drawn meanwhile has a tooltip in common.
    pub(super) fn tipped(&self, tip: &str, draw: impl FnOnce()) {
        self.tipped_of(tip, "", draw);
    }

    /// The same for what belongs to a platform.
    pub(super) fn tipped_of(&self, tip: &str, platform: &str, draw: impl FnOnce()) {
        self.backend.borrow_mut().open(tip, platform);
        draw();
        self.backend.borrow_mut().close();
    }

    /// The lines drawn meanwhile are dashed.
    pub(super) fn dashed(&self, dash: &'static str, draw: impl FnOnce()) {
        let before = std::mem::replace(&mut self.backend.borrow_mut().dash, dash);
        draw();
        self.backend.borrow_mut().dash = before;
    }

    /// Makes an area show the tooltip of what is being drawn.
    pub(super) fn hit(&self, from: (i32, i32), size: (i32, i32)) {
        self.backend.borrow_mut().hit(from, size);
    }

    /// All text so far and where it stands.
    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<(String, Area)> {
        self.backend.borrow().texts.clone()
    }

    /// The picture.
    pub(super) fn finish(&self, caption: &Caption) -> String {
        self.backend.borrow_mut().finish(caption)
    }
}
