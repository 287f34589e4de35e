//! Size: what is shipped, and what of it is shared.

use tare_model::Subject;
use tare_model::metrics::SIZE;

use super::{Figure, Heading, View, scale};
use crate::charts::{Bar, Part, Quantity, Stacked};

pub(super) fn figures(view: View<'_>) -> Vec<Figure> {
    let shipped = Heading {
        topic: "size",
        name: "size-shipped",
        title: "bytes shipped",
        says: "The component, the binary, or all layers of the image, uncompressed.",
    };
    let compressed = Heading {
        topic: "size",
        name: "size-compressed",
        title: "bytes pulled",
        says: "The same after gzip, as a registry sends it.",
    };
    let all = [view.dots(shipped, &SIZE, "artifact"), view.dots(compressed, &SIZE, "compressed"), needed(view)];
    all.into_iter().flatten().collect()
}

/// What must be on the machine, in bytes: the service's own, what services share (host, base layers), the engine.
fn parts(view: View<'_>, subject: &Subject) -> Option<[(&'static str, f64); 3]> {
    let of = |phase| view.cell(subject, &SIZE, phase).map(|cell| cell.value.median);
    let total = of("total").or_else(|| of("artifact"))?;
    let engine = of("engine").unwrap_or(0.0);
    let shared = of("shared").unwrap_or(0.0);
    Some([("own", (total - engine - shared).max(0.0)), ("shared by services", shared), ("engine", engine)])
}

fn needed(view: View<'_>) -> Option<Figure> {
    let heading = Heading {
        topic: "size",
        name: "size-needed",
        title: "all that must be on the machine",
        says: "Shares of each subject's own total: its own bytes, what services share (Wasm host, base layers), and the engine's \
               programs.",
    };
    let told: Vec<(&Subject, [(&'static str, f64); 3])> =
        view.subjects.iter().filter_map(|subject| Some((subject, parts(view, subject)?))).collect();
    let whole = |parts: &[(&str, f64); 3]| parts.iter().map(|part| part.1).sum::<f64>();
    let scale = scale(SIZE.unit, told.iter().map(|(_, parts)| whole(parts)))?;
    let bar = |(subject, parts): &(&Subject, [(&'static str, f64); 3])| Bar {
        label: subject.setting(),
        platform: subject.platform.clone(),
        parts: parts
            .iter()
            .map(|(name, bytes)| Part { name: (*name).into(), value: scale.value(*bytes), text: scale.number(*bytes) })
            .collect(),
        total: format!("{} {}", scale.number(whole(parts)), scale.name),
        ..Bar::default()
    };
    let chart = Stacked {
        caption: view.caption(heading),
        quantity: Quantity { name: "all that is needed".into(), unit: String::new() },
        normalise: true,
        rows: told.iter().map(bar).collect(),
    };
    let table = told.iter().map(|(subject, parts)| {
        let values = parts.iter().map(|part| part.1).chain([whole(parts)]).map(|bytes| scale.number(bytes));
        std::iter::once(subject.setting()).chain(values).collect()
    });
    let table = table.collect();
    let total = format!("all, {}", scale.name);
    Some(view.figure(heading, chart.svg(), &["subject", "own", "shared by services", "engine", &total], table))
}
