//! Load: latency against rate, by percentile, throughput and CPU time.

use tare_model::Subject;
use tare_model::metrics::{CPU_PER_REQUEST, LADDER_LATENCY, LATENCY, SUSTAINED_RATE, THROUGHPUT};

use super::{Figure, Heading, View, reach, row, scale, within};
use crate::charts::{Abscissa, Curve, Curves, Dot, Dots, Point, Quantity, Reference, Row, Scale as Axis, Spread};
use crate::format::{number, spread};

/// A subject's points: the place along x in words, its place, and nanoseconds.
type Series<'a> = (&'a Subject, Vec<(String, f64, f64)>);

pub(super) fn figures(view: View<'_>) -> Vec<Figure> {
    let heading = |name, title, says| Heading { topic: "load", name, title, says };
    let throughput =
        heading("load-throughput", "throughput at full load", "Closed loop: every connection is always busy.");
    let cpu = heading(
        "load-cpu",
        "CPU time per request at full load",
        "Of all the subject's processes, what the engine runs beside them included.",
    );
    let all = [
        ladder(view),
        sustained(view),
        view.dots(throughput, &THROUGHPUT, "closed"),
        view.dots(cpu, &CPU_PER_REQUEST, "closed"),
        percentiles(view),
    ];
    all.into_iter().flatten().collect()
}

fn ladder(view: View<'_>) -> Option<Figure> {
    let heading = Heading {
        topic: "load",
        name: "load-ladder",
        title: "latency against rate",
        says: "Open loop: 99th percentile from the moment at which a request was due, at rates common to all subjects, up to \
               the first that is not sustained.",
    };
    let record = view.content.record;
    let rates = record.calibration.ladder_rps.get(view.service)?;
    let at =
        |subject: &Subject, rate: f64| Some(view.cell(subject, &LADDER_LATENCY, &format!("p99@{rate}"))?.value.median);
    let series = view.subjects.iter().map(|subject| {
        let points =
            rates.iter().filter_map(|rate| Some((format!("{} requests/s", number(*rate)), *rate, at(subject, *rate)?)));
        (subject, points.collect())
    });
    let objective = record.plan.load.objective_ns.get(view.service).copied();
    let x = Abscissa::Values(Quantity { name: "rate".into(), unit: "requests/s".into() }, Axis::Log);
    lines(view, heading, x, series.collect(), objective)
}

/// As for other metrics, but for lower bounds, which say so and have no interval.
fn sustained(view: View<'_>) -> Option<Figure> {
    let heading = Heading {
        topic: "load",
        name: "load-sustained",
        title: "highest rate that was sustained",
        says: "The 99th percentile within the service's objective, no queue left and no answer wrong; right to a factor of √2, \
               the step of the ladder; ≥ where the ladder ended first.",
    };
    let cells = view.cells(&SUSTAINED_RATE, "p99");
    let scale = scale(SUSTAINED_RATE.unit, cells.iter().map(|(_, cell)| cell.value.median))?;
    let told = cells.iter().map(|(subject, cell)| {
        let value = scale.number(cell.value.median);
        let (value, short, long, drawn) = if view.summary().is_lower_bound(cell) {
            (format!("≥{value}"), String::new(), "a lower bound".to_owned(), Spread::Unknown)
        } else {
            (value, spread(&cell.value), within(&cell.value, scale), reach(&cell.value, scale))
        };
        let row = Row {
            tip: format!("{subject}: {value} {}, {long}", scale.name),
            ..row(subject, format!("{value} {short}").trim_end().to_owned())
        };
        let dot = Dot { row, value: scale.value(cell.value.median), spread: drawn };
        (dot, vec![subject.setting(), value, long, cell.value.n.to_string()])
    });
    let (rows, table) = told.unzip();
    let chart = Dots {
        caption: view.caption(heading),
        quantity: Quantity { name: heading.title.to_owned(), unit: scale.name.into() },
        reference: view.reference(&SUSTAINED_RATE, "p99", scale),
        rows,
        ..Dots::default()
    };
    let unit = format!("median, {}", scale.name);
    Some(view.figure(heading, chart.svg(), &["subject", &unit, "interval", "rounds"], table))
}

fn percentiles(view: View<'_>) -> Option<Figure> {
    const PLACES: [(&str, &str); 5] = [
        ("open_p50", "50 %"),
        ("open_p90", "90 %"),
        ("open_p99", "99 %"),
        ("open_p999", "99.9 %"),
        ("open_max", "all"),
    ];
    let heading = Heading {
        topic: "load",
        name: "load-percentiles",
        title: "latency by percentile",
        says: "Open loop at one rate for all subjects of the service: this share of requests was answered within so long.",
    };
    let series = view.subjects.iter().map(|subject| {
        let points = (0_u32..).zip(PLACES).filter_map(|(place, (phase, name))| {
            Some((name.to_owned(), f64::from(place), view.cell(subject, &LATENCY, phase)?.value.median))
        });
        (subject, points.collect())
    });
    let names = PLACES.map(|(_, name)| name.to_owned()).to_vec();
    lines(view, heading, Abscissa::Categories("share of requests".into(), names), series.collect(), None)
}

/// A line for each subject that has points.
fn lines(
    view: View<'_>,
    heading: Heading,
    x: Abscissa,
    mut series: Vec<Series<'_>>,
    objective_ns: Option<f64>,
) -> Option<Figure> {
    series.retain(|(_, points)| !points.is_empty());
    let scale = scale(LATENCY.unit, series.iter().flat_map(|(_, points)| points).map(|point| point.2))?;
    let curves = series.iter().map(|(subject, points)| Curve {
        label: subject.setting(),
        platform: subject.platform.clone(),
        points: points
            .iter()
            .map(|(place, x, ns)| Point {
                x: *x,
                y: scale.value(*ns),
                tip: format!("{subject}, {place}: {} {}", scale.number(*ns), scale.name),
            })
            .collect(),
        ..Curve::default()
    });
    let chart = Curves {
        caption: view.caption(heading),
        x,
        y: Quantity { name: "latency".into(), unit: scale.name.into() },
        scale: Axis::Log,
        objective: objective_ns.map(|ns| Reference {
            value: scale.value(ns),
            label: format!("objective {} {}", scale.number(ns), scale.name),
        }),
        curves: curves.collect(),
    };
    let table = series.iter().map(|(subject, points)| {
        let told: Vec<String> = points.iter().map(|(place, _, ns)| format!("{place}: {}", scale.number(*ns))).collect();
        vec![subject.setting(), told.join(", ")]
    });
    let table = table.collect();
    let latency = format!("latency, {}", scale.name);
    Some(view.figure(heading, chart.svg(), &["subject", &latency], table))
}
