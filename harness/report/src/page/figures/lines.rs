//! Charts with a line for each subject.

use tare_model::{Phase, Subject};
use tare_stats::Cell;

use super::{Drawing, View};
use crate::catalogue::{Along, Percentiles};
use crate::charts::{Abscissa, AxisScale, Curve, Curves, Point, Quantity, Reference};
use crate::format::{Scale, count, number};

/// A subject's line: where along x, and the value there.
type Line<'a> = (&'a Subject, Vec<(f64, f64)>);

/// A place along x: where it is, what it is called in tooltips, and as the heading of a column.
struct Place {
    at: f64,
    name: String,
    heading: String,
}

/// What lines are drawn on.
struct Axes {
    x: Abscissa,
    y: (&'static str, AxisScale),
    objective_ns: Option<f64>,
}

impl<'a> View<'a> {
    /// Lines along the second dimension of the entry's phase.
    pub(super) fn along(self, along: &Along) -> Option<Drawing> {
        let lines: Vec<Line<'a>> = self.service.subjects.iter().map(|it| (it, self.line(it, along))).collect();
        let mut ats: Vec<f64> = lines.iter().flat_map(|(_, points)| points.iter().map(|point| point.0)).collect();
        ats.sort_by(f64::total_cmp);
        ats.dedup();
        let (name, unit, scale) = along.x;
        let place = |at: f64| {
            let heading = if at.fract() == 0.0 { count(whole(at)) } else { number(at) };
            Place { at, name: format!("{heading} {}", if unit.is_empty() { name } else { unit }), heading }
        };
        let objective_ns = self.content.record.plan.load.objective_ns.get(&self.service.name).copied();
        let axes = Axes {
            x: Abscissa::Values(Quantity { name: name.into(), unit: unit.into() }, scale),
            y: along.y,
            objective_ns: objective_ns.filter(|_| along.objective),
        };
        self.lines(axes, &ats.into_iter().map(place).collect::<Vec<_>>(), lines)
    }

    /// The values of a subject along the second dimension, in its order.
    fn line(self, subject: &Subject, along: &Along) -> Vec<(f64, f64)> {
        let own = self.summary().cells.iter().filter(|cell| {
            cell.subject == *subject && cell.metric == self.entry.metric && cell.phase.name == self.entry.phase
        });
        let own: Vec<(f64, &Cell)> = own.filter_map(|cell| Some((cell.phase.at?, cell))).collect();
        let rounds = own.iter().map(|(_, cell)| cell.value.n).max();
        let in_all = |cell: &Cell| !along.in_all_rounds || Some(cell.value.n) == rounds;
        let kept = own.iter().filter(|(_, cell)| in_all(cell));
        let mut points: Vec<(f64, f64)> = kept.map(|(at, cell)| (*at, cell.value.median)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    }

    /// Lines over shares of all requests.
    pub(super) fn percentiles(self, percentiles: &Percentiles) -> Option<Drawing> {
        let places: Vec<Place> = (0_u32..)
            .zip(percentiles.phases)
            .map(|(at, (_, name))| Place { at: f64::from(at), name: (*name).into(), heading: (*name).into() })
            .collect();
        let line = |subject: &'a Subject| {
            let points = places.iter().zip(percentiles.phases).filter_map(|(place, (phase, _))| {
                Some((place.at, self.median(subject, self.entry.metric, Phase::from(*phase))?))
            });
            (subject, points.collect())
        };
        let lines = self.service.subjects.iter().map(line).collect();
        let names = percentiles.phases.iter().map(|(_, name)| (*name).to_owned()).collect();
        let x = Abscissa::Categories(percentiles.x.into(), names);
        self.lines(Axes { x, y: (percentiles.y, AxisScale::Log), objective_ns: None }, &places, lines)
    }

    /// The lines that have points.
    fn lines(self, axes: Axes, places: &[Place], mut lines: Vec<Line<'_>>) -> Option<Drawing> {
        lines.retain(|(_, points)| !points.is_empty());
        let scale = self.scale(lines.iter().flat_map(|(_, points)| points).map(|point| point.1))?;
        let chart = Curves {
            caption: self.caption(),
            x: axes.x,
            y: Quantity { name: axes.y.0.into(), unit: scale.name.into() },
            scale: axes.y.1,
            objective: axes.objective_ns.map(|ns| Reference {
                value: scale.value(ns),
                label: format!("objective {} {}", scale.number(ns), scale.name),
            }),
            curves: lines.iter().map(|line| self.curve(line, places, scale)).collect(),
        };
        let has = |place: &&Place| lines.iter().any(|(_, points)| find(points, place).is_some());
        let shown: Vec<&Place> = places.iter().filter(has).collect();
        let table = lines.iter().map(|(subject, points)| {
            let value =
                |place: &&Place| find(points, place).map_or_else(|| "–".to_owned(), |value| scale.number(value));
            std::iter::once(self.label(subject)).chain(shown.iter().map(value)).collect()
        });
        let table = table.collect();
        let first = format!("subject, {}", scale.name);
        let headings = std::iter::once(first).chain(shown.iter().map(|place| place.heading.clone())).collect();
        Some(Drawing { svg: chart.svg(), headings, rows: table })
    }

    fn curve(self, (subject, points): &Line<'_>, places: &[Place], scale: Scale) -> Curve {
        let point = |place: &Place| {
            let value = find(points, place)?;
            let tip = format!("{subject}, {}: {} {}", place.name, scale.number(value), scale.name);
            Some(Point { x: place.at, y: scale.value(value), tip })
        };
        Curve {
            label: self.label(subject),
            platform: subject.platform.clone(),
            points: places.iter().filter_map(point).collect(),
            ..Curve::default()
        }
    }
}

/// The value at a place: both come from the same number.
fn find(points: &[(f64, f64)], place: &Place) -> Option<f64> {
    points.iter().find(|(at, _)| at.total_cmp(&place.at).is_eq()).map(|(_, value)| *value)
}

/// A number without decimals; what is negative becomes zero.
fn whole(value: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
    let whole = value as u64;
    whole
}
