//! What the hosts provide: one table.

/// The runtime of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// Wasmtime.
    Wasmtime,
    /// Wasmer.
    Wasmer,
}

impl Runtime {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wasmtime => "Wasmtime",
            Self::Wasmer => "Wasmer",
        }
    }
}

/// An interface that components may import: both hosts link it.
#[derive(Debug)]
pub struct Interface {
    /// Package and interface.
    pub name: &'static str,
    /// In which versions.
    pub versions: Versions,
    wasmtime: Support,
    wasmer: Support,
}

impl Interface {
    /// Returns how far the host with this runtime supports it.
    pub fn on(&self, runtime: Runtime) -> Support {
        match runtime {
            Runtime::Wasmtime => self.wasmtime,
            Runtime::Wasmer => self.wasmer,
        }
    }
}

/// The versions of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// Every release of 0.2: each of them is compatible with the earlier ones.
    Release,
    /// A draft, which is compatible with nothing but itself.
    Draft(&'static str),
}

impl Versions {
    /// Whether a version is one of them.
    pub fn include(self, version: Option<&str>) -> bool {
        match self {
            Self::Release => version.is_some_and(|version| version.starts_with("0.2.") && !version.contains('-')),
            Self::Draft(draft) => version == Some(draft),
        }
    }
}

/// How far a host supports an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It does what it says.
    Full,
    /// It does where a server is granted; without, every request is denied.
    Servers,
    /// It does where a folder is granted; without, there is none.
    Folders,
    /// It can be imported, and every call fails.
    Denied,
}

const fn release(name: &'static str) -> Interface {
    Interface { name, versions: Versions::Release, wasmtime: Support::Full, wasmer: Support::Full }
}

const fn denied(name: &'static str) -> Interface {
    Interface { wasmtime: Support::Denied, wasmer: Support::Denied, ..release(name) }
}

/// What Wasmtime's host supports by grant, and Wasmer's not at all.
const fn granted(name: &'static str, wasmtime: Support) -> Interface {
    Interface { wasmtime, ..denied(name) }
}

const fn draft(name: &'static str, version: &'static str) -> Interface {
    Interface { versions: Versions::Draft(version), ..release(name) }
}

/// Every interface that the hosts link.
pub const INTERFACES: &[Interface] = &[
    release("wasi:cli/environment"),
    release("wasi:cli/exit"),
    release("wasi:cli/stderr"),
    release("wasi:cli/stdin"),
    release("wasi:cli/stdout"),
    release("wasi:cli/terminal-input"),
    release("wasi:cli/terminal-output"),
    release("wasi:cli/terminal-stderr"),
    release("wasi:cli/terminal-stdin"),
    release("wasi:cli/terminal-stdout"),
    release("wasi:clocks/monotonic-clock"),
    release("wasi:clocks/wall-clock"),
    draft("wasi:config/store", "0.2.0-rc.1"),
    granted("wasi:filesystem/preopens", Support::Folders),
    granted("wasi:filesystem/types", Support::Folders),
    granted("wasi:http/outgoing-handler", Support::Servers),
    release("wasi:http/types"),
    release("wasi:io/error"),
    release("wasi:io/poll"),
    release("wasi:io/streams"),
    draft("wasi:keyvalue/atomics", "0.2.0-draft"),
    draft("wasi:keyvalue/atomics", "0.2.0-draft2"),
    draft("wasi:keyvalue/store", "0.2.0-draft"),
    draft("wasi:keyvalue/store", "0.2.0-draft2"),
    release("wasi:random/insecure"),
    release("wasi:random/insecure-seed"),
    release("wasi:random/random"),
    denied("wasi:sockets/instance-network"),
    denied("wasi:sockets/ip-name-lookup"),
    denied("wasi:sockets/network"),
    denied("wasi:sockets/tcp"),
    denied("wasi:sockets/tcp-create-socket"),
    denied("wasi:sockets/udp"),
    denied("wasi:sockets/udp-create-socket"),
];

/// Returns the interface of the table, or `None` if no host links it in this version.
pub fn interface(name: &str, version: Option<&str>) -> Option<&'static Interface> {
    INTERFACES.iter().find(|interface| interface.name == name && interface.versions.include(version))
}
