//! Size: what is shipped, and what of it is shared.

use tare_model::metrics::SIZE;

use super::{Figure, Heading, View};

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

/// In bytes: the service's own, what services share (host, base layers), the engine.
fn needed(view: View<'_>) -> Option<Figure> {
    let heading = Heading {
        topic: "size",
        name: "size-needed",
        title: "all that must be on the machine",
        says: "Shares of each subject's own total: its own bytes, what services share (Wasm host, base layers), and the engine's \
               programs.",
    };
    let names = ["own", "shared by services", "engine"];
    view.parts(heading, ("all that is needed", SIZE.unit, true), names, |subject| {
        let of = |phase| view.cell(subject, &SIZE, phase).map(|cell| cell.value.median);
        let total = of("total").or_else(|| of("artifact"))?;
        let (shared, engine) = (of("shared").unwrap_or(0.0), of("engine").unwrap_or(0.0));
        Some([(total - engine - shared).max(0.0), shared, engine])
    })
}
