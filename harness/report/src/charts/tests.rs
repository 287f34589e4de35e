//! What holds for all charts, whatever they show.

use proptest::prelude::*;

use super::canvas::{Canvas, WIDTH};
use super::place::Area;
use super::*;

const PLATFORMS: [&str; 6] = ["native", "wasmtime", "wasmer", "oci", "docker", "spin"];

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => 0.1..1000.0_f64,
        2 => (-6.0..9.0_f64).prop_map(|power| 10_f64.powf(power)),
        1 => Just(0.0),
        1 => any::<f64>(),
    ]
}

fn any_label() -> impl Strategy<Value = (String, String)> {
    (prop::sample::select(&PLATFORMS[..]), "[a-zA-Z<&-]{0,24}")
        .prop_map(|(platform, variant)| (format!("{platform}/{variant}"), platform.to_owned()))
}

fn any_row() -> impl Strategy<Value = Row> {
    any_label().prop_map(|(label, platform)| Row { label, platform, text: "466 ms ±3 %".into(), tip: String::new() })
}

fn any_dots() -> impl Strategy<Value = Dots> {
    let row = (any_row(), any_value(), 0..3_u8, 0.5..1.0_f64).prop_map(|(row, value, kind, share)| {
        let ends = (value * share, value / share);
        let spread = match kind {
            0 => Spread::Unknown,
            1 => Spread::Interval(ends.0, ends.1),
            _ => Spread::Range(ends.0, ends.1),
        };
        Dot { row: Row { text: format!("{value:.3e} ms ±21 %"), ..row }, value, spread }
    });
    let scale = prop::sample::select(&[AxisScale::Auto, AxisScale::Log, AxisScale::Ratio][..]);
    (prop::collection::vec(row, 0..26), scale, prop::option::of(any_value())).prop_map(|(rows, scale, reference)| {
        Dots {
            scale,
            rows,
            quantity: Quantity { name: "cold start".into(), unit: "ms".into() },
            reference: reference.map(|value| Reference { value, label: format!("native/process {value:.2e} ms") }),
            ..Dots::default()
        }
    })
}

fn any_stacked() -> impl Strategy<Value = Stacked> {
    let part = (0..10_usize, any_value()).prop_map(|(name, value)| Part {
        name: ["spawn", "engine", "load", "compile", "link", "listen", "first answer", "create", "start", "ready"]
            [name]
            .into(),
        value,
        text: format!("{value:.2e}"),
    });
    let row = (any_row(), prop::collection::vec(part, 0..9)).prop_map(|(row, parts)| Bar { row, parts });
    (prop::collection::vec(row, 0..26), any::<bool>()).prop_map(|(rows, normalise)| Stacked {
        normalise,
        rows,
        quantity: Quantity { name: "cold start".into(), unit: "ms".into() },
        ..Stacked::default()
    })
}

fn any_curves() -> impl Strategy<Value = Curves> {
    let point = (any_value(), any_value()).prop_map(|(x, y)| Point { x, y, tip: String::new() });
    let curve = (any_label(), prop::collection::vec(point, 0..8)).prop_map(|((label, platform), points)| Curve {
        label,
        platform,
        points,
        tip: String::new(),
    });
    (prop::collection::vec(curve, 0..26), prop::option::of(any_value())).prop_map(|(curves, objective)| Curves {
        x: Abscissa::Values(Quantity { name: "throughput".into(), unit: "requests/s".into() }, AxisScale::Auto),
        y: Quantity { name: "p99 latency".into(), unit: "ms".into() },
        objective: objective.map(|value| Reference { value, label: "objective 10 ms".into() }),
        curves,
        ..Curves::default()
    })
}

/// That all text lies on the canvas, none upon another; and that the document closes what it opens.
fn check(canvas: &Canvas) -> Result<(), TestCaseError> {
    let svg = canvas.finish(&Caption { title: "a & b".into(), description: "<c>".into() });
    let height: f64 = svg.split("height=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    let page = Area::new(0.0, 0.0, f64::from(WIDTH), height);
    let texts = canvas.texts();
    for (index, (words, area)) in texts.iter().enumerate() {
        prop_assert!(page.holds(area), "cut: {words} {area:?} of {page:?}");
        for (other, there) in &texts[index + 1..] {
            // A hair less, as places are rounded to whole pixels.
            let inner = Area::new(area.left + 1.0, area.top + 1.0, area.width - 2.0, area.height - 2.0);
            prop_assert!(!inner.overlaps(there), "{words} {area:?} and {other} {there:?}");
        }
    }
    prop_assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
    prop_assert!(!svg.contains("=\"NaN") && !svg.contains("=\"inf"), "{svg}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn dots_have_room_for_all_text(chart in any_dots()) {
        check(&chart.canvas())?;
    }

    #[test]
    fn strips_have_room_for_all_text(rows in prop::collection::vec((any_row(), prop::collection::vec(any_value(), 0..20)), 0..26)) {
        let row = |(row, samples)| Samples { row, samples };
        check(&Strip { rows: rows.into_iter().map(row).collect(), ..Strip::default() }.canvas())?;
    }

    #[test]
    fn stacks_have_room_for_all_text(chart in any_stacked()) {
        check(&chart.canvas())?;
    }

    #[test]
    fn curves_have_room_for_all_text(chart in any_curves()) {
        check(&chart.canvas())?;
    }
}

#[test]
fn a_small_chart() {
    let dot = |label: &str, platform: &str, value, spread| Dot {
        row: Row { label: label.into(), platform: platform.into(), text: format!("{value} ms"), tip: String::new() },
        value,
        spread,
    };
    let chart = Dots {
        caption: Caption { title: "Cold start".into(), description: "wasmtime takes 4 times as long".into() },
        quantity: Quantity { name: "cold start".into(), unit: "ms".into() },
        reference: Some(Reference { value: 0.9, label: "native/process 0.9 ms".into() }),
        rows: vec![
            dot("native/process", "native", 0.9, Spread::Interval(0.8, 1.0)),
            dot("wasmtime/aot", "wasmtime", 3.6, Spread::Range(3.5, 3.8)),
        ],
        ..Dots::default()
    };
    let svg = chart.svg();
    let (head, marks) = svg.split_once("</style>\n").unwrap();
    let (head, _) = head.split_once("<style>").unwrap();
    insta::assert_snapshot!(head, @r##"
    <svg xmlns="http://www.w3.org/2000/svg" class="tare-chart" role="img" viewBox="0 0 760 126" width="760" height="126" font-family="system-ui, sans-serif" font-size="12" stroke-linejoin="round" style="font-variant-numeric:tabular-nums">
    <title>Cold start</title>
    <desc>wasmtime takes 4 times as long</desc>
    "##);
    insta::assert_snapshot!(marks, @r##"
    <g class="grid" stroke="#e2e5e9" fill="none"><line x1="109" y1="21" x2="109" y2="69"/><line x1="185" y1="21" x2="185" y2="69"/><line x1="260" y1="21" x2="260" y2="69"/><line x1="336" y1="21" x2="336" y2="69"/><line x1="412" y1="21" x2="412" y2="69"/><line x1="487" y1="21" x2="487" y2="69"/><line x1="563" y1="21" x2="563" y2="69"/><line x1="638" y1="21" x2="638" y2="69"/><line x1="109" y1="33" x2="701" y2="33"/><line x1="109" y1="57" x2="701" y2="57"/></g>
    <g class="axis" stroke="#8c959f" fill="none"><line x1="109" y1="69" x2="701" y2="69"/><line x1="109" y1="69" x2="109" y2="73"/><line x1="185" y1="69" x2="185" y2="73"/><line x1="260" y1="69" x2="260" y2="73"/><line x1="336" y1="69" x2="336" y2="73"/><line x1="412" y1="69" x2="412" y2="73"/><line x1="487" y1="69" x2="487" y2="73"/><line x1="563" y1="69" x2="563" y2="73"/><line x1="638" y1="69" x2="638" y2="73"/></g>
    <g class="muted" fill="#59636e" font-size="11" text-anchor="middle"><text x="109" y="86">0</text><text x="185" y="86">0.5</text><text x="260" y="86">1.0</text><text x="336" y="86">1.5</text><text x="412" y="86">2.0</text><text x="487" y="86">2.5</text><text x="563" y="86">3.0</text><text x="638" y="86">3.5</text></g>
    <g class="muted" fill="#59636e" font-size="11"><text x="109" y="102">cold start, ms</text><text x="109" y="119">solid line: 95 % interval of the median; dashed line: range of all rounds, too few for an interval</text></g>
    <g><title>native/process 0.9 ms</title><g class="reference" stroke="#6e7781" fill="none"><line x1="245" y1="20" x2="245" y2="69"/></g>
    <g class="muted" fill="#59636e" font-size="11" text-anchor="middle"><text x="245" y="16">native/process 0.9 ms</text></g>
    </g>
    <g data-platform="native"><title>native/process: 0.9 ms</title><g fill="none" pointer-events="all"><rect x="0" y="21" width="760" height="24"/></g>
    <g class="fg" fill="#1f2328" font-size="12.5"><text x="2" y="38">native/process</text></g>
    <g class="fg" fill="#1f2328" font-size="12.5" text-anchor="end"><text x="758" y="38">0.9 ms</text></g>
    <g stroke="#626262" fill="none" stroke-width="2"><line x1="230" y1="33" x2="260" y2="33"/><line x1="230" y1="29" x2="230" y2="37"/><line x1="260" y1="29" x2="260" y2="37"/></g>
    <g fill="#626262"><circle cx="245" cy="33" r="5"/></g>
    </g>
    <g data-platform="wasmtime"><title>wasmtime/aot: 3.6 ms</title><g fill="none" pointer-events="all"><rect x="0" y="45" width="760" height="24"/></g>
    <g class="fg" fill="#1f2328" font-size="12.5"><text x="2" y="62">wasmtime/aot</text></g>
    <g class="fg" fill="#1f2328" font-size="12.5" text-anchor="end"><text x="758" y="62">3.6 ms</text></g>
    <g stroke="#0660d8" stroke-opacity="0.6" fill="none" stroke-width="2" stroke-dasharray="4 2"><line x1="638" y1="57" x2="684" y2="57"/></g>
    <g fill="#0660d8"><circle cx="654" cy="57" r="5"/></g>
    </g>
    </svg>
    "##);
}
