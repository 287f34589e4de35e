//! Memory: by process, over time, of several instances.

use tare_model::Subject;
use tare_model::metrics::{
    MEMORY_ENGINE, MEMORY_HIGH_WATER, MEMORY_INSTANCES, MEMORY_PER_INSTANCE, MEMORY_PSS, MEMORY_TRACE,
};
use tare_stats::Cell;

use super::{Figure, Heading, View, scale};
use crate::charts::{Abscissa, Curve, Curves, Point, Quantity, Scale as Axis};
use crate::format::Scale;

pub(super) fn figures(view: View<'_>) -> Vec<Figure> {
    let high = Heading {
        topic: "memory",
        name: "memory-high-water",
        title: "the most that the kernel ever saw resident",
        says: "Shared pages count in full, so this is above PSS.",
    };
    let one_more = Heading {
        topic: "memory",
        name: "memory-one-more",
        title: "memory of each further instance",
        says: "Slope over several instances beside each other, shims and port proxies included, the engine's daemons not.",
    };
    let all = [
        by_process(view),
        over_time(view),
        view.dots(one_more, &MEMORY_PER_INSTANCE, "total"),
        several(view),
        view.dots(high, &MEMORY_HIGH_WATER, "rss"),
    ];
    all.into_iter().flatten().collect()
}

/// By parts, in bytes: of what runs the service, and of what the engine runs beside it or, in a Wasm host, had before it.
fn by_process(view: View<'_>) -> Option<Figure> {
    let heading = Heading {
        topic: "memory",
        name: "memory-idle",
        title: "idle memory by process",
        says: "The service's processes, of a Wasm host apart what it takes before it has loaded anything, and shim and proxy \
               of a container.",
    };
    let names = ["service", "empty Wasm host", "engine beside it"];
    view.parts(heading, ("PSS when idle", MEMORY_PSS.unit, false), names, |subject| {
        let of = |metric, phase| view.cell(subject, metric, phase).map(|cell| cell.value.median);
        let service = of(&MEMORY_PSS, "idle")?;
        let empty = of(&MEMORY_ENGINE, "empty").unwrap_or(0.0).min(service);
        Some([service - empty, empty, of(&MEMORY_ENGINE, "idle").unwrap_or(0.0)])
    })
}

/// The times at which every subject was read in all of its rounds, and what was read.
fn over_time(view: View<'_>) -> Option<Figure> {
    let heading = Heading {
        topic: "memory",
        name: "memory-over-time",
        title: "memory over time",
        says: "PSS of the service's processes from the beginning of the open loop's warm-up to the end of the loop, medians over \
               rounds. A curve ends where the shortest round did.",
    };
    let trace = |subject: &Subject| -> Vec<(f64, f64)> {
        let own = view.summary().cells.iter().filter(|cell| cell.subject == *subject && cell.metric == &MEMORY_TRACE);
        let own: Vec<(u32, &Cell)> =
            own.filter_map(|cell| Some((cell.phase.strip_prefix("at@")?.parse().ok()?, cell))).collect();
        let rounds = own.iter().map(|(_, cell)| cell.value.n).max();
        let whole = own.iter().filter(|(_, cell)| Some(cell.value.n) == rounds);
        whole.map(|(at, cell)| (f64::from(*at), cell.value.median)).collect()
    };
    let traces: Vec<(&Subject, Vec<(f64, f64)>)> =
        view.subjects.iter().map(|subject| (subject, trace(subject))).collect();
    let mut times: Vec<f64> = traces.iter().flat_map(|(_, trace)| trace.iter().map(|point| point.0)).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let headings: Vec<String> = std::iter::once("subject".to_owned()).chain(times.iter().map(f64::to_string)).collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let x = Abscissa::Values(Quantity { name: "since the load began".into(), unit: "ms".into() }, Axis::Auto);
    lines(view, heading, x, (&headings, &times), |subject, time| {
        let (_, trace) = traces.iter().find(|(of, _)| *of == subject)?;
        trace.iter().find(|(at, _)| (at - time).abs() < f64::EPSILON).map(|(_, bytes)| *bytes)
    })
}

fn several(view: View<'_>) -> Option<Figure> {
    let heading = Heading {
        topic: "memory",
        name: "memory-instances",
        title: "memory of several instances",
        says: "Each has answered before the next was started; without the engine's daemons.",
    };
    let counts = &view.content.record.plan.instances;
    let x = Abscissa::Values(Quantity { name: "instances beside each other".into(), unit: String::new() }, Axis::Auto);
    let headings: Vec<String> =
        std::iter::once("subject".to_owned()).chain(counts.iter().map(u32::to_string)).collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let at: Vec<f64> = counts.iter().map(|count| f64::from(*count)).collect();
    lines(view, heading, x, (&headings, &at), |subject, count| {
        Some(view.cell(subject, &MEMORY_INSTANCES, &format!("total@{count}"))?.value.median)
    })
}

/// A line for each subject that has values in bytes at these places.
fn lines(
    view: View<'_>,
    heading: Heading,
    x: Abscissa,
    (headings, places): (&[&str], &[f64]),
    at: impl Fn(&Subject, f64) -> Option<f64>,
) -> Option<Figure> {
    let series: Vec<(&Subject, Vec<(f64, f64)>)> = view
        .subjects
        .iter()
        .map(|subject| (subject, places.iter().filter_map(|x| Some((*x, at(subject, *x)?))).collect::<Vec<_>>()))
        .filter(|(_, points)| !points.is_empty())
        .collect();
    let scale = scale(MEMORY_PSS.unit, series.iter().flat_map(|(_, points)| points).map(|point| point.1))?;
    let curves = series.iter().map(|(subject, points)| curve(subject, points, scale));
    let chart = Curves {
        caption: view.caption(heading),
        x,
        y: Quantity { name: "PSS".into(), unit: scale.name.into() },
        curves: curves.collect(),
        ..Curves::default()
    };
    let table = series.iter().map(|(subject, points)| {
        let value = |x: &f64| {
            let found = points.iter().find(|point| (point.0 - x).abs() < f64::EPSILON);
            found.map_or_else(|| "–".to_owned(), |point| scale.number(point.1))
        };
        std::iter::once(subject.setting()).chain(places.iter().map(value)).collect()
    });
    let table = table.collect();
    Some(view.figure(heading, chart.svg(), headings, table))
}

fn curve(subject: &Subject, points: &[(f64, f64)], scale: Scale) -> Curve {
    Curve {
        label: subject.setting(),
        platform: subject.platform.clone(),
        points: points
            .iter()
            .map(|(x, bytes)| Point {
                x: *x,
                y: scale.value(*bytes),
                tip: format!("{subject}: {} {}", scale.number(*bytes), scale.name),
            })
            .collect(),
        ..Curve::default()
    }
}
