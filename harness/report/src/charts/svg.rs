//! A backend of plotters that writes SVG for web pages.
//!
//! The one that plotters brings states every attribute on every element (some 180 bytes for a dot), and has neither
//! classes nor titles. This one gathers neighbours of the same look in a group, names the colours of the theme by class, so that a page
//! can give them other colours, and takes tooltips.

use std::convert::Infallible;
use std::fmt::Write;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};

use super::Caption;
use super::colour::{Rgb, ThemeColour};
use super::text;
use crate::escape;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// An SVG picture that grows.
#[derive(Debug)]
pub(super) struct Svg {
    size: (u32, u32),
    body: String,
    /// The attributes of the group that is open.
    look: Option<String>,
    /// The dashes of the lines to come, as `stroke-dasharray` has them; none for a solid line.
    pub dash: &'static str,
    /// The colour of the theme that what is to come has; `None` for a colour of its own.
    pub theme: Option<ThemeColour>,
    /// Where text stands, by the estimate of its width.
    #[cfg(test)]
    pub texts: Vec<(String, super::place::Area)>,
}

impl Svg {
    pub(super) fn new(size: (u32, u32)) -> Self {
        Self {
            size,
            body: String::new(),
            look: None,
            dash: "",
            theme: None,
            #[cfg(test)]
            texts: Vec::new(),
        }
    }

    /// Begins a group with a tooltip; none for an empty text. It belongs to a platform, by which a page can find it, or to
    /// none.
    pub(super) fn open(&mut self, tip: &str, platform: &str) {
        self.end_look();
        if platform.is_empty() {
            self.body.push_str("<g>");
        } else {
            let _ = write!(self.body, "<g data-platform=\"{}\">", escaped(platform));
        }
        if !tip.is_empty() {
            let _ = write!(self.body, "<title>{}</title>", escaped(tip));
        }
    }

    /// Ends the group that [`Self::open`] began.
    pub(super) fn close(&mut self) {
        self.end_look();
        self.body.push_str("</g>\n");
    }

    /// An invisible area that belongs to the open group, so that its tooltip shows anywhere in it.
    pub(super) fn hit(&mut self, (x, y): BackendCoord, (width, height): (i32, i32)) {
        self.element(
            r#"fill="none" pointer-events="all""#.into(),
            format_args!(r#"<rect x="{x}" y="{y}" width="{width}" height="{height}"/>"#),
        );
    }

    /// The whole picture.
    pub(super) fn finish(&mut self, caption: &Caption) -> String {
        self.end_look();
        let (width, height) = self.size;
        let (title, description) = (escaped(&caption.title), escaped(&caption.description));
        let mut picture = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tare-chart\" role=\"img\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" \
             stroke-linejoin=\"round\" style=\"font-variant-numeric:tabular-nums\">\n<title>{title}</title>\n"
        );
        if !description.is_empty() {
            let _ = writeln!(picture, "<desc>{description}</desc>");
        }
        picture + &style() + &self.body + "</svg>\n"
    }

    fn end_look(&mut self) {
        if self.look.take().is_some() {
            self.body.push_str("</g>\n");
        }
    }

    fn element(&mut self, look: String, element: std::fmt::Arguments) {
        if self.look.as_ref() != Some(&look) {
            self.end_look();
            let _ = write!(self.body, "<g {look}>");
            self.look = Some(look);
        }
        let _ = self.body.write_fmt(element);
    }

    /// How lines look; `None` for those that cannot be seen.
    fn stroke<S: BackendStyle>(&self, style: &S) -> Option<String> {
        let mut look = self.paint("stroke", style.color())? + r#" fill="none""#;
        if style.stroke_width() != 1 {
            let _ = write!(look, r#" stroke-width="{}""#, style.stroke_width());
        }
        if !self.dash.is_empty() {
            let _ = write!(look, r#" stroke-dasharray="{}""#, self.dash);
        }
        Some(look)
    }

    /// A colour as attributes; `None` for one that cannot be seen. A colour of the theme has a class, and the light one
    /// beside it for programs that know no CSS.
    fn paint(&self, property: &str, BackendColor { alpha, rgb: (red, green, blue) }: BackendColor) -> Option<String> {
        if alpha <= 0.0 {
            return None;
        }
        let mut look = self.theme.map_or_else(String::new, |theme| format!(r#"class="{}" "#, theme.class()));
        let _ = write!(look, r#"{property}="{}""#, Rgb { red, green, blue });
        if alpha < 1.0 {
            let _ = write!(look, r#" {property}-opacity="{alpha}""#);
        }
        Some(look)
    }

    fn shape<S: BackendStyle>(&self, style: &S, fill: bool) -> Option<String> {
        if fill { self.paint("fill", style.color()) } else { self.stroke(style) }
    }
}

/// The colours of a dark page. `:where` takes all weight from the selector but that of the class, so that a page's own
/// `.tare-chart .fg` wins wherever it stands.
fn style() -> String {
    let mut style =
        "<style>:where(.tare-chart){max-width:100%;height:auto}:where(.tare-chart) :is(.grid,.axis,.reference)\
                     {shape-rendering:crispEdges}@media (prefers-color-scheme:dark){"
            .to_owned();
    for colour in ThemeColour::ALL {
        let _ = write!(style, ":where(.tare-chart) .{}{{{}:{}}}", colour.class(), colour.property(), colour.dark());
    }
    style + "}</style>\n"
}

/// Text as XML takes it; characters that it has no place for are shown as escapes or left out.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in escape::lines(text).chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            other => safe.push(other),
        }
    }
    safe
}

fn points(path: impl IntoIterator<Item = BackendCoord>) -> String {
    let points: Vec<String> = path.into_iter().map(|(x, y)| format!("{x},{y}")).collect();
    points.join(" ")
}

impl DrawingBackend for Svg {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, colour: BackendColor) -> Drawn {
        self.draw_rect(point, (point.0 + 1, point.1 + 1), &colour, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, (x1, y1): BackendCoord, (x2, y2): BackendCoord, style: &S) -> Drawn {
        if let Some(look) = self.stroke(style) {
            self.element(look, format_args!(r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#));
        }
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Drawn {
        if let Some(look) = self.shape(style, fill) {
            let ((x, y), (width, height)) = (from, (to.0 - from.0, to.1 - from.1));
            self.element(look, format_args!(r#"<rect x="{x}" y="{y}" width="{width}" height="{height}"/>"#));
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        let path: Vec<BackendCoord> = path.into_iter().collect();
        if let [from, to] = path[..] {
            return self.draw_line(from, to, style);
        }
        if let Some(look) = self.stroke(style) {
            self.element(look, format_args!(r#"<polyline points="{}"/>"#, points(path)));
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, centre: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        if let Some(look) = self.shape(style, fill) {
            let (x, y) = centre;
            self.element(look, format_args!(r#"<circle cx="{x}" cy="{y}" r="{radius}"/>"#));
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        if let Some(look) = self.paint("fill", style.color()) {
            self.element(look, format_args!(r#"<polygon points="{}"/>"#, points(path)));
        }
        Ok(())
    }

    /// Text lies horizontally, whatever its style: no chart here turns it.
    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Drawn {
        let Some(mut look) = self.paint("fill", style.color()).filter(|_| !text.is_empty()) else { return Ok(()) };
        let size = style.size();
        let _ = write!(look, r#" font-size="{size}""#);
        look.push_str(match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Center => r#" text-anchor="middle""#,
            HPos::Right => r#" text-anchor="end""#,
        });
        // The line on which letters stand; digits and capitals are 0.72 of the size high.
        let below = match style.anchor().v_pos {
            VPos::Top => 0.86,
            VPos::Center => 0.36,
            VPos::Bottom => -0.14,
        };
        let baseline = f64::from(y) + below * size;
        #[cfg(test)]
        {
            let width = text::width(text, size);
            let share = match style.anchor().h_pos {
                HPos::Left => 0.0,
                HPos::Center => 0.5,
                HPos::Right => 1.0,
            };
            let area = super::place::Area::new(f64::from(x) - share * width, baseline - 0.86 * size, width, size);
            self.texts.push((text.into(), area));
        }
        self.element(look, format_args!(r#"<text x="{x}" y="{baseline:.0}">{}</text>"#, escaped(text)));
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let up = |length: f64| super::canvas::pixel(length.ceil()).unsigned_abs();
        Ok((up(text::width(text, style.size())), up(style.size())))
    }
}

#[cfg(test)]
mod tests {
    use plotters::style::{Color, RGBColor};

    use super::*;

    #[test]
    fn neighbours_of_one_look_share_a_group_and_tips_are_escaped() {
        let mut svg = Svg::new((20, 10));
        svg.open("a < b & \"c\"\u{0}", "docker");
        let grey = RGBColor(98, 98, 98);
        svg.draw_circle((1, 2), 3, &grey.filled(), true).unwrap();
        svg.draw_circle((4, 5), 3, &grey.filled(), true).unwrap();
        svg.theme = Some(ThemeColour::Grid);
        svg.draw_path([(0, 0), (9, 9)], &RGBColor::from(ThemeColour::Grid.light()).mix(0.5)).unwrap();
        svg.theme = None;
        svg.draw_path([(0, 0), (9, 9)], &grey.mix(0.0)).unwrap();
        svg.close();
        insta::assert_snapshot!(svg.body, @r##"
        <g data-platform="docker"><title>a &lt; b &amp; &quot;c&quot;\u{0}</title><g fill="#626262"><circle cx="1" cy="2" r="3"/><circle cx="4" cy="5" r="3"/></g>
        <g class="grid" stroke="#e2e5e9" stroke-opacity="0.5" fill="none"><line x1="0" y1="0" x2="9" y2="9"/></g>
        </g>
        "##);
    }
}
