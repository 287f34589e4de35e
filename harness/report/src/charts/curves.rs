//! Lines: latency against throughput, latency by percentile.

use plotters::coord::ranged1d::Ranged;
use plotters::element::{Circle, PathElement, Polygon};
use plotters::style::ShapeStyle;

use super::axis::Axis;
use super::canvas::{Align, Canvas, WIDTH, filled, line, pixel, translucent};
use super::colour::{Rgb, ThemeColour, platform_colour};
use super::labels::{self, Placed, Scene, leader_end};
use super::place::{Area, Spot};
use super::ticks::{self, Direction};
use super::{AxisScale, Caption, Quantity, Reference, text};

/// A point of a [`Curve`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Point {
    /// In the unit of the x axis, or the index of the category, counted from 0.
    pub x: f64,
    /// In the unit of the y axis. A point without a place (NaN, zero on a log axis) interrupts the line.
    pub y: f64,
    /// The tooltip.
    pub tip: String,
}

/// A line of [`Curves`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    /// Whose line it is, such as `wasmtime/aot`.
    pub label: String,
    /// The platform, which gives the colour; the lines of one platform differ by dashes and marks.
    pub platform: String,
    /// In the order in which they are joined.
    pub points: Vec<Point>,
    /// The tooltip of the line and its label; the label where empty.
    pub tip: String,
}

/// What is along the x axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Abscissa {
    /// Values, evenly or by ratios.
    Values(Quantity, AxisScale),
    /// Categories: what they are, such as `percentile`, and the name of each.
    Categories(String, Vec<String>),
}

impl Default for Abscissa {
    fn default() -> Self {
        Self::Values(Quantity::default(), AxisScale::Auto)
    }
}

/// A line for each subject.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curves {
    /// The chart in words.
    pub caption: Caption,
    /// What is along the x axis.
    pub x: Abscissa,
    /// What the y axis shows.
    pub y: Quantity,
    /// How it shows it.
    pub scale: AxisScale,
    /// A horizontal line: what the values should stay below.
    pub objective: Option<Reference>,
    /// In the order of the legend, were there one; later ones cover earlier ones.
    pub curves: Vec<Curve>,
}

/// Where the plot begins; the title of the y axis stands above.
const TOP: i32 = 30;

/// The height of the plot, if the labels need no more.
const HEIGHT: i32 = 300;

/// The size of labels.
const SIZE: f64 = 12.0;

/// Dashes of the variants of a platform.
const DASHES: [&str; 5] = ["", "7 3", "2 3", "9 3 2 3", "4 2"];

/// The lines and where all of it lies.
struct Layout<'a> {
    canvas: Canvas,
    x: Axis,
    y: Axis,
    left: i32,
    right: i32,
    bottom: i32,
    curves: Vec<Drawn<'a>>,
}

/// A line in pixels.
struct Drawn<'a> {
    curve: &'a Curve,
    colour: Rgb,
    /// Its place among the lines of its platform.
    variant: usize,
    /// The parts between points that have no place.
    runs: Vec<Vec<((i32, i32), &'a Point)>>,
}

impl Drawn<'_> {
    fn end(&self) -> Option<(i32, i32)> {
        Some(self.runs.last()?.last()?.0)
    }
}

impl Curves {
    /// The chart as an SVG document, which may also stand within HTML.
    pub fn svg(&self) -> String {
        self.canvas().finish(&self.caption)
    }

    pub(super) fn canvas(&self) -> Canvas {
        let layout = self.layout();
        layout.grid(self);
        let is_empty = layout.curves.iter().all(|drawn| drawn.runs.is_empty());
        let objective = self.objective.as_ref().filter(|objective| !is_empty && layout.y.has(objective.value));
        let label = objective.map(|objective| layout.objective(objective));
        for drawn in &layout.curves {
            layout.draw(drawn);
        }
        layout.labels(label);
        if is_empty {
            layout.canvas.muted("no data", (layout.left + 8, TOP + 16), Align::Left);
        }
        layout.canvas
    }

    fn layout(&self) -> Layout<'_> {
        let widest = self.curves.iter().map(|curve| text::width(&curve.label, SIZE)).fold(0.0, f64::max);
        let right = WIDTH - 40 - pixel(widest.ceil()).clamp(20, 230);
        let rows = i32::try_from(self.curves.len()).unwrap_or(i32::MAX).min(1000);
        let height = HEIGHT.max(rows * pixel(labels::HEIGHT) + 8);
        let bottom = TOP + height;
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let ys: Vec<f64> = points().map(|point| point.y).collect();
        let objective: Vec<f64> = self.objective.iter().map(|objective| objective.value).collect();
        let y = Axis::of(self.scale, &ys, &objective, Direction::Up, height);
        let widest_tick = y.ticks.iter().map(|tick| text::width(&tick.label, ticks::SIZE)).fold(0.0, f64::max);
        let left = pixel(widest_tick.ceil()) + 12;
        let x = match &self.x {
            Abscissa::Values(_, scale) => {
                let xs: Vec<f64> = points().map(|point| point.x).collect();
                Axis::of(*scale, &xs, &[], Direction::Across, right - left)
            }
            Abscissa::Categories(_, names) => Axis::categories(names),
        };
        let mut layout = Layout { canvas: Canvas::new(bottom + 44), x, y, left, right, bottom, curves: Vec::new() };
        for (index, curve) in self.curves.iter().enumerate() {
            let variant = self.curves[..index].iter().filter(|other| other.platform == curve.platform).count();
            let (colour, runs) = (platform_colour(&curve.platform), layout.runs(&curve.points));
            layout.curves.push(Drawn { curve, colour, variant, runs });
        }
        layout
    }

    fn x_title(&self, log: bool) -> String {
        match &self.x {
            Abscissa::Values(quantity, _) => quantity.title(log),
            Abscissa::Categories(name, _) => name.clone(),
        }
    }
}

fn spot((x, y): (i32, i32)) -> Spot {
    (f64::from(x), f64::from(y))
}

impl Layout<'_> {
    fn across(&self, value: f64) -> i32 {
        self.x.map(&value, (self.left, self.right))
    }

    fn up(&self, value: f64) -> i32 {
        self.y.map(&value, (self.bottom, TOP))
    }

    fn runs<'a>(&self, points: &'a [Point]) -> Vec<Vec<((i32, i32), &'a Point)>> {
        let has_place = |point: &Point| self.x.has(point.x) && self.y.has(point.y);
        let parts = points.split(|point| !has_place(point)).filter(|part| !part.is_empty());
        let placed = |part: &'a [Point]| part.iter().map(|point| ((self.across(point.x), self.up(point.y)), point));
        parts.map(|part| placed(part).collect()).collect()
    }

    fn grid(&self, chart: &Curves) {
        let Self { canvas, left, right, bottom, .. } = self;
        let (left, right, bottom) = (*left, *right, *bottom);
        for y in self.y.ticks.iter().map(|tick| self.up(tick.at)) {
            canvas.themed_line((left, y), (right, y), ThemeColour::Grid, 1);
        }
        for x in self.x.ticks.iter().map(|tick| self.across(tick.at)) {
            canvas.themed_line((x, TOP), (x, bottom), ThemeColour::Grid, 1);
        }
        canvas.themed_line((left, bottom), (right, bottom), ThemeColour::Axis, 1);
        for x in self.x.ticks.iter().map(|tick| self.across(tick.at)) {
            canvas.themed_line((x, bottom), (x, bottom + 4), ThemeColour::Axis, 1);
        }
        for tick in &self.y.ticks {
            canvas.muted(&tick.label, (left - 6, self.up(tick.at)), Align::Right);
        }
        // Names of categories have what is between two of them.
        let room = f64::from(right - left) / self.x.ticks.len().max(1) as f64 - 4.0;
        for tick in &self.x.ticks {
            let label = text::shortened(&tick.label, ticks::SIZE, room);
            canvas.muted(&label, (self.across(tick.at), bottom + 13), Align::Middle);
        }
        let title = |words: &str, x: i32, y: i32| {
            canvas.muted(&text::shortened(words, ticks::SIZE, f64::from(WIDTH - x)), (x, y), Align::Left);
        };
        title(&chart.y.title(self.y.log), 2, 10);
        title(&chart.x_title(self.x.log), left, bottom + 32);
    }

    /// Draws the objective and its label, which stands where it covers the fewest lines; the label's place and the line's.
    fn objective(&self, objective: &Reference) -> (Area, f64) {
        let y = self.up(objective.value);
        self.canvas.themed_line((self.left, y), (self.right, y), ThemeColour::Reference, 1);
        let label = text::shortened(&objective.label, ticks::SIZE, f64::from(self.right - self.left - 8));
        let width = text::width(&label, ticks::SIZE);
        let (left, right) = (f64::from(self.left) + 4.0, f64::from(self.right) - 4.0 - width);
        let heights = [y - 8, y + 9].into_iter().filter(|y| (TOP + 6..self.bottom - 6).contains(y));
        let places = heights.flat_map(|y| [left, f64::midpoint(left, right), right].map(|x| (pixel(x), y)));
        let area = |(x, y): (i32, i32)| Area::new(f64::from(x), f64::from(y) - 6.0, width, 12.0);
        let lines = self.lines();
        let covered = |place: &(i32, i32)| lines.iter().filter(|(from, to)| area(*place).touches(*from, *to)).count();
        let place = places.min_by_key(covered).unwrap_or((self.left + 4, y - 8));
        self.canvas.muted(&label, place, Align::Left);
        (area(place), f64::from(y))
    }

    /// All lines, straight part by straight part, and all points.
    fn lines(&self) -> Vec<(Spot, Spot)> {
        let runs = || self.curves.iter().flat_map(|drawn| &drawn.runs);
        let parts = runs().flat_map(|run| run.windows(2).map(|pair| (spot(pair[0].0), spot(pair[1].0))));
        parts.chain(runs().flatten().map(|(place, _)| (spot(*place), spot(*place)))).collect()
    }

    fn draw(&self, drawn: &Drawn) {
        let Drawn { curve, colour, variant, runs } = drawn;
        self.canvas.tipped_of(tip(curve), &curve.platform, || {
            self.canvas.dashed(DASHES[variant % DASHES.len()], || {
                for run in runs.iter().filter(|run| run.len() > 1) {
                    let places: Vec<(i32, i32)> = run.iter().map(|(place, _)| *place).collect();
                    self.canvas.draw(&PathElement::new(places, line(*colour, 2)));
                }
            });
        });
        for (place, point) in runs.iter().flatten() {
            let whole = format!("{}: {}", curve.label, point.tip);
            self.canvas.tipped_of(&whole, &curve.platform, || marker(&self.canvas, *place, *variant, *colour));
        }
    }

    fn labels(&self, objective: Option<(Area, f64)>) {
        let ending: Vec<(&Drawn, (i32, i32))> =
            self.curves.iter().filter_map(|drawn| Some((drawn, drawn.end()?))).collect();
        let room = f64::from(WIDTH - self.right - 38);
        let words: Vec<String> =
            ending.iter().map(|(drawn, _)| text::shortened(&drawn.curve.label, SIZE, room)).collect();
        let wishes: Vec<(Spot, f64)> =
            ending.iter().zip(&words).map(|((_, end), words)| (spot(*end), text::width(words, SIZE))).collect();
        let (top, height) = (f64::from(TOP), f64::from(self.bottom - TOP));
        let mut lines = self.lines();
        lines.extend(objective.map(|(_, y)| ((f64::from(self.left), y), (f64::from(self.right), y))));
        let scene = Scene {
            inside: Area::new(f64::from(self.left), top, f64::from(self.right - self.left), height),
            column: Area::new(f64::from(self.right) + 36.0, top, room, height),
            lines,
            taken: objective.iter().map(|(area, _)| *area).collect(),
        };
        for ((placed, (drawn, end)), words) in labels::place(&scene, &wishes).iter().zip(ending).zip(words) {
            self.canvas.tipped_of(tip(drawn.curve), &drawn.curve.platform, || self.label(placed, drawn, end, &words));
        }
    }

    /// A label; one in the column has the mark of its line, and a thin line to the end of it.
    fn label(&self, placed: &Placed, drawn: &Drawn, end: (i32, i32), words: &str) {
        let area = placed.area();
        let y = pixel(area.top + area.height / 2.0);
        if let Placed::Aside(area) = placed {
            let mark = pixel(leader_end(area).0) - 6;
            let style = ShapeStyle::from(translucent(drawn.colour, 0.4));
            self.canvas.line((end.0, end.1), (mark - 4, y), style);
            marker(&self.canvas, (mark, y), drawn.variant, drawn.colour);
        }
        self.canvas.themed_text(words, (pixel(area.left), y), Align::Left, SIZE, ThemeColour::Text);
    }
}

fn tip(curve: &Curve) -> &str {
    if curve.tip.is_empty() { &curve.label } else { &curve.tip }
}

/// A mark, one of several of about the same area. Where the dashes begin anew, the marks are one further, so that 25 variants
/// have looks of their own.
fn marker(canvas: &Canvas, (x, y): (i32, i32), variant: usize, colour: Rgb) {
    let style = filled(colour);
    let polygon = |corners: &[(i32, i32)]| {
        let corners: Vec<(i32, i32)> = corners.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
        canvas.draw(&Polygon::new(corners, style));
    };
    match (variant + variant / 5) % 5 {
        0 => canvas.draw(&Circle::new((x, y), 4, style)),
        1 => polygon(&[(-4, -4), (4, -4), (4, 4), (-4, 4)]),
        2 => polygon(&[(0, -5), (5, 4), (-5, 4)]),
        3 => polygon(&[(0, -5), (5, 0), (0, 5), (-5, 0)]),
        _ => polygon(&[(0, 5), (5, -4), (-5, -4)]),
    }
}
