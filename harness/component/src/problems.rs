//! What keeps a component from running on a host.

use crate::inspect::{Handler, Import, Inspected, Shape};
use crate::interfaces::{INTERFACES, Runtime, Support, Versions, interface};

/// Elements of a table that the hosts allow unless told otherwise.
const TABLE_ELEMENTS: u64 = 100_000;

/// What a component is given when it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// Whether it may send requests to any server.
    pub servers: bool,
    /// Whether it sees any folder.
    pub folders: bool,
    /// The most linear memory of an instance, in bytes. `None` if it does not matter.
    pub memory_bytes: Option<u64>,
    /// The most elements of a table. `None` if it does not matter.
    pub table_elements: Option<u64>,
    /// Whether the compiler has SIMD; of the compilers here only Wasmer's Singlepass lacks it.
    pub simd: bool,
}

impl Default for Granted {
    /// What the hosts grant when they are told nothing; but for memory, whose limit is set for each service.
    fn default() -> Self {
        Self { servers: false, folders: false, memory_bytes: None, table_elements: Some(TABLE_ELEMENTS), simd: true }
    }
}

/// What a problem comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The host does not serve the component.
    Refused,
    /// The host serves it, and the calls of this interface fail. That is no harm where it never makes them: many
    /// toolchains import more than a component uses.
    CallsFail,
}

/// Why a component does not run, or not with all that it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The import, the export or the part of the component.
    pub subject: String,
    /// What it comes to.
    pub effect: Effect,
    /// What is wrong with it.
    pub why: String,
    /// What helps.
    pub remedy: String,
}

impl Problem {
    fn refused(subject: impl Into<String>, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { subject: subject.into(), effect: Effect::Refused, why: why.into(), remedy: remedy.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}; {}", self.subject, self.why, self.remedy)
    }
}

/// Returns everything that keeps a component from being served by a host with this runtime, and the imports whose calls
/// will fail there. What it returns first is refused.
pub fn problems(inspected: &Inspected, runtime: Runtime, granted: &Granted) -> Vec<Problem> {
    let mut found: Vec<Problem> = handler(&inspected.handler).into_iter().collect();
    // One of WASI 0.3 imports dozens of interfaces that are missing for that one reason.
    if !matches!(inspected.handler, Handler::Handler { .. }) {
        found.extend(inspected.imports.iter().filter_map(|wanted| import(wanted, runtime, granted)));
    }
    found.extend(inspected.shapes.iter().filter_map(|known| shape(*known, runtime)));
    found.extend(limits(inspected, granted));
    found.sort_by_key(|problem| problem.effect);
    found
}

fn handler(handler: &Handler) -> Option<Problem> {
    match handler {
        Handler::IncomingHandler { version } if !version.starts_with("0.2.") || version.contains('-') => {
            Some(Problem::refused(
                full("wasi:http/incoming-handler", Some(version)),
                "the hosts serve releases of WASI 0.2",
                "build the component with a toolchain for WASI 0.2",
            ))
        }
        Handler::IncomingHandler { .. } => None,
        Handler::Direct { version } if version == "0.1.0" => None,
        Handler::Direct { version } => Some(Problem::refused(
            full("tare:direct/handler", Some(version)),
            "the hosts serve version 0.1.0 of it",
            "build the component with that version",
        )),
        Handler::Handler { version } => Some(Problem::refused(
            full("wasi:http/handler", Some(version)),
            "it is a component of WASI 0.3, and the hosts serve those of WASI 0.2",
            "build it for WASI 0.2, with `wasi:http/incoming-handler@0.2`",
        )),
        Handler::None => Some(Problem::refused(
            "the exports",
            "none of them answers HTTP requests",
            "export `wasi:http/incoming-handler@0.2`",
        )),
    }
}

fn import(import: &Import, runtime: Runtime, granted: &Granted) -> Option<Problem> {
    let subject = full(&import.name, import.version.as_deref());
    let Some(known) = interface(&import.name, import.version.as_deref()) else {
        return Some(Problem::refused(subject, "no host provides it", instead(import)));
    };
    let name = runtime.name();
    let (why, remedy) = match known.on(runtime) {
        Support::Servers if !granted.servers => ("no server is granted".to_owned(), "grant the one that it needs"),
        Support::Folders if !granted.folders => ("no folder is granted".to_owned(), "grant the one that it needs"),
        Support::Denied if known.on(Runtime::Wasmtime) == Support::Denied => {
            ("every call is denied".to_owned(), "reach servers by `wasi:http/outgoing-handler`")
        }
        Support::Denied => (format!("the {name} host denies every call"), "grant it on the Wasmtime host"),
        Support::Full | Support::Servers | Support::Folders => return None,
    };
    Some(Problem { subject, effect: Effect::CallsFail, why, remedy: remedy.to_owned() })
}

/// What helps where an import is not provided.
fn instead(import: &Import) -> String {
    let others = INTERFACES.iter().filter(|known| known.name == import.name);
    let versions: Vec<_> = others
        .map(|known| match known.versions {
            Versions::Release => "a release of 0.2",
            Versions::Draft(draft) => draft,
        })
        .collect();
    if versions.is_empty() {
        "build the component without it, or compose it with a component that provides it".to_owned()
    } else {
        format!("build it against {}", versions.join(" or "))
    }
}

fn shape(shape: Shape, runtime: Runtime) -> Option<Problem> {
    if runtime != Runtime::Wasmer {
        return None;
    }
    let serve = "serve it with the Wasmtime host";
    Some(match shape {
        Shape::Composed => Problem::refused(
            "a component within it",
            "it was composed of several components, and the Wasmer host has no calls from one to another",
            serve,
        ),
        Shape::SharedTable => Problem::refused(
            "a table",
            "several core modules share it (dynamic linking), which the Wasmer host does not support",
            serve,
        ),
        Shape::UnusualMemory => Problem::refused(
            "a memory",
            "it is shared, of 64 bits or of other pages, which the Wasmer host does not support",
            serve,
        ),
    })
}

fn limits(inspected: &Inspected, granted: &Granted) -> Vec<Problem> {
    let mut found = Vec::new();
    let Inspected { memory_bytes, table_elements, uses_simd, .. } = *inspected;
    if let Some(limit) = granted.memory_bytes.filter(|limit| memory_bytes > *limit) {
        let why = format!("it begins with {memory_bytes} bytes, and {limit} are allowed");
        found.push(Problem::refused("a memory", why, "raise the memory limit"));
    }
    if let Some(limit) = granted.table_elements.filter(|limit| table_elements > *limit) {
        let why = format!("it begins with {table_elements} elements, and {limit} are allowed");
        found.push(Problem::refused("a table", why, "raise the limit of table elements"));
    }
    if uses_simd && !granted.simd {
        let remedy = "choose a compiler with SIMD, or build the component without it";
        found.push(Problem::refused("its code", "it uses SIMD, which the chosen compiler does not have", remedy));
    }
    found
}

fn full(name: &str, version: Option<&str>) -> String {
    match version {
        Some(version) if !version.is_empty() => format!("{name}@{version}"),
        _ => name.to_owned(),
    }
}
