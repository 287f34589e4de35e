//! Platforms and variants as a record has them.

use tare_model::{Baseline, PlatformRecord, Role, Side, VariantId, VariantRecord};

/// Every platform that the tests have subjects of.
pub(crate) fn platforms() -> Vec<PlatformRecord> {
    let scratch = Some(("docker/scratch", "Wasm against a container, both for speed"));
    vec![
        platform("native", None, vec![variant("process", Role::Setting, None), variant("again", Role::Noise, None)]),
        platform(
            "wasmtime",
            Some(Side::Wasm),
            vec![
                variant("aot", Role::Headline, scratch),
                default(variant("jit", Role::Headline, Some(("wasmtime/aot", "compiled at start")))),
                variant("reuse", Role::Headline, Some(("wasmtime/aot", "an instance serves many requests"))),
                variant("jit-unoptimised", Role::Setting, Some(("wasmtime/jit", "compiled without optimisation"))),
                control(variant("direct", Role::Control, None), "shows what wasi:http takes; not what a service does"),
            ],
        ),
        platform(
            "wasmer",
            Some(Side::Wasm),
            vec![
                variant("aot", Role::Headline, Some(("wasmtime/aot", "the other runtime"))),
                variant("singlepass", Role::Setting, None),
            ],
        ),
        platform(
            "docker",
            Some(Side::Container),
            vec![
                variant("scratch", Role::Headline, Some(("native/process", "in a container"))),
                default(variant("debian", Role::Headline, None)),
                default(variant("image", Role::Headline, None)),
                variant("image-bridge", Role::Setting, Some(("docker/image", "on a network of its own"))),
                variant("wasm", Role::Setting, None),
            ],
        ),
        platform("running", None, vec![variant("url", Role::Setting, None)]),
    ]
}

fn platform(name: &str, side: Option<Side>, variants: Vec<VariantRecord>) -> PlatformRecord {
    PlatformRecord { name: name.into(), summary: format!("what {name} is"), side, variants }
}

fn variant(name: &str, role: Role, baseline: Option<(&str, &str)>) -> VariantRecord {
    let baseline = baseline.map(|(over, difference)| Baseline {
        variant: over.parse::<VariantId>().unwrap(),
        difference: difference.into(),
    });
    VariantRecord { name: name.into(), summary: String::new(), role, shows: None, is_default: false, baseline }
}

fn default(variant: VariantRecord) -> VariantRecord {
    VariantRecord { is_default: true, ..variant }
}

fn control(variant: VariantRecord, shows: &str) -> VariantRecord {
    VariantRecord { shows: Some(shows.into()), ..variant }
}
