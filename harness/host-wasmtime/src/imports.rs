//! What components may import: the interfaces of WASI 0.2, `wasi:keyvalue` and `wasi:config`. What an interface reaches is
//! decided by the grants, when it is used: what is not granted is linked all the same, and denied or empty.

use anyhow::anyhow;
use tare_host::refusal;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};
use wasmtime_wasi_config::WasiConfig;

use crate::keyvalue::{self, KeyValueView};
use crate::state::State;

/// The interfaces of WASI 0.2, of which every release is compatible with every other.
const RELEASED: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Drafts, each compatible with itself only.
const DRAFTS: &[&str] = &[
    "wasi:config/store@0.2.0-rc.1",
    "wasi:keyvalue/atomics@0.2.0-draft",
    "wasi:keyvalue/atomics@0.2.0-draft2",
    "wasi:keyvalue/store@0.2.0-draft",
    "wasi:keyvalue/store@0.2.0-draft2",
];

/// Makes the linker, with all that a component may import.
///
/// # Errors
/// Never in practice: an interface was added twice.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::<State>::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_config::add_to_linker(&mut linker, |state| WasiConfig::new(state.config()))?;
    keyvalue::add_to_linker(&mut linker, |state: &mut State| {
        let (values, table) = state.values();
        KeyValueView { values, table }
    })?;
    Ok(linker)
}

/// Checks that all that a component imports is there.
///
/// # Errors
/// Something is not; the error names all of it.
pub fn check(engine: &Engine, component: &Component) -> anyhow::Result<()> {
    let ty = component.component_type();
    let missing: Vec<&str> = ty.imports(engine).map(|(name, _)| name).filter(|name| !is_provided(name)).collect();
    if missing.is_empty() { Ok(()) } else { Err(anyhow!(refusal::missing_imports(missing))) }
}

/// Whether there is such an interface.
fn is_provided(import: &str) -> bool {
    let released = |(name, version): (&str, &str)| {
        version.starts_with("0.2.") && !version.contains('-') && RELEASED.contains(&name)
    };
    DRAFTS.contains(&import) || import.split_once('@').is_some_and(released)
}

#[cfg(all(test, feature = "compiler"))]
mod tests {
    use super::*;
    use crate::settings::Settings;

    /// A component that imports an interface without anything in it.
    fn importing(engine: &Engine, interface: &str) -> Component {
        let text = format!(r#"(component (import "{interface}" (instance)))"#);
        Component::new(engine, wat::parse_str(text).expect("the text is a component")).expect("it compiles")
    }

    #[test]
    fn the_list_of_interfaces_is_the_linkers() {
        let settings = Settings { allocator: crate::settings::Allocator::OnDemand, ..Settings::default() };
        let engine = crate::engine::new(&settings).unwrap();
        let linker = linker(&engine).unwrap();
        let versions = |name: &&str| ["0.2.0", "0.2.6", "0.2.99"].map(|version| format!("{name}@{version}"));
        let released = RELEASED.iter().flat_map(versions);
        for name in released.chain(DRAFTS.iter().map(|&name| name.to_owned())) {
            let component = importing(&engine, &name);
            assert!(check(&engine, &component).is_ok(), "{name}");
            assert!(linker.instantiate_pre(&component).is_ok(), "{name} is listed and not linked");
        }
        for name in ["wasi:clocks/timezone@0.2.0", "wasi:io/streams@0.3.0", "wasi:keyvalue/batch@0.2.0-draft2", "a:b/c"]
        {
            let component = importing(&engine, name);
            assert!(check(&engine, &component).unwrap_err().to_string().contains(name), "{name}");
            assert!(linker.instantiate_pre(&component).is_err(), "{name} is linked and not listed");
        }
    }
}
