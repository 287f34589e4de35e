//! Writes a page with every kind of chart over made-up data, for people to look at:
//! `cargo run -p tare-report --example gallery -- /tmp/gallery.html`.

use std::error::Error;
use std::fmt::Write;

use tare_report::charts::{
    Abscissa, Bar, Caption, Curve, Curves, Dot, Dots, Part, Point, Quantity, Reference, Samples, Scale, Spread,
    Stacked, Strip,
};

const SUBJECTS: [(&str, f64); 25] = [
    ("native/musl", 0.94),
    ("native/glibc", 1.02),
    ("native/musl-second", 0.945),
    ("wasmtime/aot", 3.38),
    ("wasmtime/jit", 96.6),
    ("wasmtime/jit-unoptimised", 31.2),
    ("wasmtime/pooling", 3.61),
    ("wasmtime/reuse", 3.4),
    ("wasmtime/no-simd", 3.52),
    ("wasmer/aot", 5.83),
    ("wasmer/cranelift", 141.0),
    ("wasmer/llvm", 466.0),
    ("wasmer/singlepass", 27.9),
    ("wasmer/wasix-cgi", 12.8),
    ("oci/crun-scratch", 18.7),
    ("oci/crun-debian", 22.4),
    ("oci/youki-scratch", 15.2),
    ("oci/runwasi-wasmtime", 44.1),
    ("docker/scratch", 83.8),
    ("docker/scratch-glibc", 84.6),
    ("docker/distroless", 91.0),
    ("docker/alpine", 88.5),
    ("docker/debian", 210.0),
    ("docker/debian-host-network", 187.0),
    ("docker/wasm-containerd-shim-v1", 320.0),
];

const PHASES: [&str; 7] = ["spawn", "engine", "load", "compile", "link", "listen", "first answer"];

/// Numbers that look random: a multiplicative congruential generator, of Lehmer.
struct Numbers(u64);

impl Numbers {
    /// Between 0 and 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0 * 48_271 % 0x7fff_ffff;
        self.0 as f64 / f64::from(0x7fff_ffff)
    }

    /// About 1, by a share of it.
    fn around(&mut self, share: f64) -> f64 {
        1.0 + share * (self.next() + self.next() + self.next() - 1.5)
    }
}

fn platform(label: &str) -> String {
    label.split('/').next().unwrap_or_default().into()
}

fn time() -> Quantity {
    Quantity { name: "cold start".into(), unit: "ms".into() }
}

fn caption(title: &str) -> Caption {
    Caption { title: title.into(), description: "Made-up data.".into() }
}

fn native() -> Reference {
    Reference { value: 0.94, label: "native/musl 0.94 ms".into() }
}

fn figure(value: f64) -> String {
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.decimals$}")
}

fn dots(subjects: &[(&str, f64)], rounds: bool) -> Dots {
    let mut numbers = Numbers(7);
    let row = |&(label, value): &(&str, f64)| {
        let (low, high) = (value * (1.0 - 0.3 * numbers.next()), value * (1.0 + 0.5 * numbers.next()));
        let spread = if rounds && value < 300.0 { Spread::Interval(low, high) } else { Spread::Range(low, high) };
        let text = format!("{} ms ±{:.0} %", figure(value), (high / value - 1.0) * 100.0);
        let tip = format!("{label}: {text}, from {} to {} ms, 10 rounds", figure(low), figure(high));
        Dot { label: label.into(), platform: platform(label), value, spread, text, tip }
    };
    let rows = subjects.iter().map(row).collect();
    Dots { caption: caption("Cold start"), quantity: time(), scale: Scale::Auto, reference: Some(native()), rows }
}

fn ratios(farthest: f64) -> Dots {
    let mut numbers = Numbers(11);
    let row = |&(label, _): &(&str, f64)| {
        let value = farthest.powf(2.0 * numbers.next() - 1.0);
        let spread = Spread::Interval(value * farthest.powf(-0.15), value * farthest.powf(0.2));
        let text = format!("{value:.2}×");
        Dot { label: label.into(), platform: platform(label), value, spread, text, tip: String::new() }
    };
    let rows = SUBJECTS[..8].iter().map(row).collect();
    Dots {
        caption: caption("The reference against itself"),
        quantity: Quantity { name: "ratio to the plain setting".into(), unit: String::new() },
        scale: Scale::Ratio,
        reference: Some(Reference { value: 1.0, label: "no difference".into() }),
        rows,
    }
}

/// What nobody should hand in.
fn odd() -> Dots {
    let row = |(label, value, spread): (&str, f64, Spread)| Dot {
        label: label.into(),
        platform: platform(label),
        value,
        spread,
        text: if value.is_nan() { "failed".into() } else { format!("{value} ms") },
        tip: String::new(),
    };
    let rows = [
        ("native/zero", 0.0, Spread::Unknown),
        ("wasmtime/negative", -2.0, Spread::Interval(-3.0, 1.0)),
        ("wasmer/not-a-number", f64::NAN, Spread::Range(1.0, 2.0)),
        ("docker/reaches-below-zero", 40.0, Spread::Interval(-5.0, 90.0)),
        ("docker/<script>&\"a label that is much longer than it should be\"", 900.0, Spread::Range(f64::NAN, 1e4)),
        ("spin/unknown-platform", 1.0, Spread::Interval(1.0, 1.0)),
    ];
    Dots { rows: rows.map(row).into(), ..dots(&[], true) }
}

fn strip(subjects: &[(&str, f64)], samples: usize) -> Strip {
    let mut numbers = Numbers(3);
    let mut row = |&(label, median): &(&str, f64)| {
        let samples = (0..samples).map(|_| median * numbers.around(0.2)).collect();
        let text = format!("{} ms", figure(median));
        Samples { label: label.into(), platform: platform(label), samples, text, tip: String::new() }
    };
    let rows = subjects.iter().map(&mut row).collect();
    Strip { caption: caption("All rounds"), quantity: time(), scale: Scale::Auto, reference: Some(native()), rows }
}

fn phases(subjects: &[(&str, f64)], normalise: bool) -> Stacked {
    let mut numbers = Numbers(5);
    let mut row = |&(label, total): &(&str, f64)| {
        let names = if label.starts_with("docker") { &["create", "start", "ready"][..] } else { &PHASES[..] };
        let weight = |name: &&str| match *name {
            "compile" if !label.contains("jit") => 0.0,
            "compile" => 9.0,
            "engine" | "load" | "link" if label.starts_with("native") => 0.0,
            _ => 0.1 + numbers.next(),
        };
        let weights: Vec<f64> = names.iter().map(weight).collect();
        let parts = names.iter().zip(&weights).map(|(name, weight)| {
            let value = total * weight / weights.iter().sum::<f64>();
            Part { name: (*name).into(), value, text: figure(value) }
        });
        let (parts, total) = (parts.collect(), format!("{} ms", figure(total)));
        Bar { label: label.into(), platform: platform(label), parts, total, tip: String::new() }
    };
    let rows = subjects.iter().map(&mut row).collect();
    Stacked { caption: caption("Where the time goes"), quantity: time(), normalise, rows }
}

fn memory() -> Stacked {
    let row = |(label, service, engine): (&str, f64, f64)| {
        let part = |name: &str, value: f64| Part { name: name.into(), value, text: format!("{value:.1}") };
        let (parts, total) =
            (vec![part("service", service), part("engine", engine)], format!("{:.1} MB", service + engine));
        Bar { label: label.into(), platform: platform(label), parts, total, tip: String::new() }
    };
    let rows = [
        ("native/musl", 2.1, 0.0),
        ("wasmtime/aot", 6.3, 9.8),
        ("wasmtime/jit", 11.2, 21.0),
        ("docker/scratch", 2.2, 13.5),
        ("docker/debian", 3.9, 13.7),
    ];
    let quantity = Quantity { name: "memory when idle (PSS)".into(), unit: "MB".into() };
    Stacked { caption: caption("Memory"), quantity, normalise: false, rows: rows.map(row).into() }
}

fn throughput(subjects: &[(&str, f64)], alike: bool) -> Curves {
    let curve = |(index, (label, slowness)): (usize, &(&str, f64))| {
        let capacity = if alike { 42_000.0 - 700.0 * index as f64 } else { 61_000.0 / slowness.sqrt() };
        let points = [0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 0.97].map(|load| {
            let (x, y) = (capacity * load, 0.2 * (1.0 + 0.02 * slowness) / (1.0 - load) * 1.02_f64.powf(index as f64));
            Point { x, y, tip: format!("{x:.0} requests/s, p99 {} ms", figure(y)) }
        });
        Curve { label: (*label).into(), platform: platform(label), points: points.into(), tip: String::new() }
    };
    Curves {
        caption: caption("Latency by throughput"),
        x: Abscissa::Values(Quantity { name: "throughput".into(), unit: "requests/s".into() }, Scale::Auto),
        y: Quantity { name: "99th percentile of latency".into(), unit: "ms".into() },
        scale: Scale::Log,
        objective: Some(Reference { value: 10.0, label: "objective 10 ms".into() }),
        curves: subjects.iter().enumerate().map(curve).collect(),
    }
}

fn percentiles(subjects: &[(&str, f64)]) -> Curves {
    let names = ["p50", "p90", "p99", "p99.9", "max"];
    let mut numbers = Numbers(9);
    let mut curve = |(label, slowness): &(&str, f64)| {
        let mut y = 0.11 + 0.01 * slowness.sqrt();
        let points = names.iter().enumerate().map(|(index, name)| {
            y *= 1.1 + 1.5 * numbers.next();
            Point { x: index as f64, y, tip: format!("{name} {} ms", figure(y)) }
        });
        Curve { label: (*label).into(), platform: platform(label), points: points.collect(), tip: String::new() }
    };
    Curves {
        caption: caption("Latency by percentile"),
        x: Abscissa::Categories("percentile of all requests".into(), names.map(Into::into).into()),
        y: Quantity { name: "latency".into(), unit: "ms".into() },
        scale: Scale::Log,
        objective: None,
        curves: subjects.iter().map(&mut curve).collect(),
    }
}

fn gallery() -> Vec<(&'static str, String)> {
    let some: Vec<(&str, f64)> = SUBJECTS.into_iter().step_by(3).collect();
    let near: Vec<(&str, f64)> = SUBJECTS.into_iter().filter(|(_, value)| *value < 20.0).take(8).collect();
    vec![
        ("dots, none", dots(&[], true).svg()),
        ("dots, 1", dots(&SUBJECTS[3..4], true).svg()),
        ("dots, 8 of one magnitude", dots(&near, true).svg()),
        ("dots, 16", dots(&SUBJECTS[..16], true).svg()),
        ("dots, 25, ranges", dots(&SUBJECTS, false).svg()),
        ("dots, odd", odd().svg()),
        ("ratios, close", ratios(1.1).svg()),
        ("ratios, far", ratios(30.0).svg()),
        ("strip, 1", strip(&SUBJECTS[3..4], 40).svg()),
        ("strip, 8", strip(&near, 20).svg()),
        ("strip, 25", strip(&SUBJECTS, 15).svg()),
        ("memory", memory().svg()),
        ("phases, 1", phases(&SUBJECTS[3..4], false).svg()),
        ("phases, 8", phases(&near, false).svg()),
        ("phases, 16, normalised", phases(&SUBJECTS[..16], true).svg()),
        ("phases, 25", phases(&SUBJECTS, false).svg()),
        ("throughput, none", throughput(&[], false).svg()),
        ("throughput, 1", throughput(&SUBJECTS[3..4], false).svg()),
        ("throughput, 8", throughput(&some[..8], false).svg()),
        ("throughput, 16 alike", throughput(&SUBJECTS[..16], true).svg()),
        ("throughput, 25", throughput(&SUBJECTS, false).svg()),
        ("percentiles, 5", percentiles(&some[..5]).svg()),
        ("percentiles, 25", percentiles(&SUBJECTS).svg()),
    ]
}

/// Names the texts that are cut or overlap, below each chart.
const CHECK: &str = "<script>
for (const svg of document.querySelectorAll('svg')) {
  const page = svg.getBoundingClientRect(), found = [];
  const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
  texts.forEach(([a, r], i) => {
    if (r.left < page.left - .5 || r.right > page.right + .5 || r.top < page.top || r.bottom > page.bottom) found.push('cut: ' + a);
    for (const [b, s] of texts.slice(i + 1))
      if (r.left < s.right && s.left < r.right && r.top + 2 < s.bottom - 2 && s.top + 2 < r.bottom - 2) found.push(a + ' over ' + b);
  });
  svg.insertAdjacentHTML('afterend', `<p class=check>${texts.length} texts; ${found.length ? 'FOUND ' + found.map(f => f.replace(/</g, '&lt;')).join('; ') : 'none cut, none overlap'}</p>`);
}
</script>";

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("where to write the page?")?;
    let mut page =
        "<!DOCTYPE html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
                    <meta name=color-scheme content=\"light dark\"><title>Charts</title>\
                    <style>body{font-family:system-ui,sans-serif;margin:1em auto;max-width:760px;padding:0 12px}\
                    @media (prefers-color-scheme:dark){body{background:#111;color:#eee}}\
                    .check{font-size:11px;opacity:.6}</style>"
            .to_owned();
    for (name, svg) in gallery() {
        write!(page, "<h2>{name} ({:.1} kB)</h2>{svg}", svg.len() as f64 / 1000.0)?;
    }
    std::fs::write(path, page + CHECK)?;
    Ok(())
}
