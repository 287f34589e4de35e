//! What components may import: the interfaces of WASI 0.2, `wasi:keyvalue` and `wasi:config`. What an interface reaches is
//! decided by the grants, when it is used: what is not granted is linked all the same, and denied or empty.

use anyhow::anyhow;
use tare_host::refusal;
use wasmtime::Engine;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings;
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi_config::WasiConfig;

use crate::keyvalue::{self, KeyValueView};
use crate::sockets;
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

/// Makes the linker, with all that a component may import but sockets.
///
/// # Errors
/// Never in practice: an interface was added twice.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::<State>::new(engine);
    let l = &mut linker;
    wasmtime_wasi_http::p2::add_to_linker_async(l)?;
    bindings::cli::environment::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::exit::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::terminal_input::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::terminal_output::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, State::cli)?;
    bindings::random::insecure::add_to_linker::<_, WasiRandom>(l, State::random)?;
    bindings::random::insecure_seed::add_to_linker::<_, WasiRandom>(l, State::random)?;
    bindings::filesystem::types::add_to_linker::<_, WasiFilesystem>(l, State::filesystem)?;
    bindings::filesystem::preopens::add_to_linker::<_, WasiFilesystem>(l, State::filesystem)?;
    wasmtime_wasi_config::add_to_linker(l, |state| WasiConfig::new(state.config()))?;
    keyvalue::add_to_linker(l, |state: &mut State| {
        let (values, table) = state.values();
        KeyValueView { values, table }
    })?;
    Ok(linker)
}

/// Finds what a component imports.
///
/// # Errors
/// Something is not there, and the error names all of it; or it is there and of another type.
pub fn find(linker: &Linker<State>, component: &Component) -> anyhow::Result<InstancePre<State>> {
    let (engine, ty) = (linker.engine(), component.component_type());
    let names: Vec<&str> = ty.imports(engine).map(|(name, _)| name).collect();
    let missing: Vec<&str> = names.iter().copied().filter(|name| !is_provided(name)).collect();
    if !missing.is_empty() {
        return Err(anyhow!(refusal::missing_imports(missing)));
    }
    if !names.into_iter().any(sockets::is_of_sockets) {
        return Ok(linker.instantiate_pre(component)?);
    }
    let mut linker = linker.clone();
    sockets::add_to_linker(&mut linker, engine, component)?;
    Ok(linker.instantiate_pre(component)?)
}

/// Whether there is such an interface.
fn is_provided(import: &str) -> bool {
    let released = |(name, version): (&str, &str)| {
        version.starts_with("0.2.") && !version.contains('-') && RELEASED.contains(&name)
    };
    DRAFTS.contains(&import) || import.split_once('@').is_some_and(released)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the linker has an interface: then it takes nothing else under that name.
    fn is_linked(linker: &Linker<State>, name: &str) -> bool {
        linker.clone().root().func_new(name, |_, _, _, _| Ok(())).is_err()
    }

    #[test]
    fn the_list_of_interfaces_is_the_linkers() {
        let linker = linker(&Engine::default()).unwrap();
        // Which release it has does not matter to components.
        let released = |name: &str| (0..50).any(|patch| is_linked(&linker, &format!("{name}@0.2.{patch}")));
        for name in RELEASED {
            assert!(released(name) != sockets::is_of_sockets(name), "{name}");
            assert!(is_provided(&format!("{name}@0.2.0")) && is_provided(&format!("{name}@0.2.99")), "{name}");
        }
        for name in DRAFTS {
            assert!(is_linked(&linker, name) && is_provided(name), "{name}");
        }
        assert!(!released("wasi:clocks/timezone") && !is_provided("wasi:clocks/timezone@0.2.0"));
        for other in ["wasi:io/streams@0.3.0", "wasi:io/streams@0.2.0-rc", "wasi:keyvalue/batch@0.2.0-draft2", "a:b/c"]
        {
            assert!(!is_linked(&linker, other) && !is_provided(other), "{other}");
        }
    }
}
