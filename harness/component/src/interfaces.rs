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

/// An interface that components may import.
#[derive(Debug)]
pub struct Interface {
    /// Package and interface.
    pub name: &'static str,
    /// In which versions.
    pub versions: Versions,
    /// By which hosts.
    pub runtimes: &'static [Runtime],
    /// What it needs to do more than fail.
    pub needs: Grant,
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

/// What a user grants, so that an interface does more than fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Nothing is needed.
    Nothing,
    /// Requests to another server.
    Outgoing,
    /// A folder.
    Directory,
    /// No grant exists: every call fails.
    Never,
}

const BOTH: &[Runtime] = &[Runtime::Wasmtime, Runtime::Wasmer];

const fn release(name: &'static str, needs: Grant) -> Interface {
    Interface { name, versions: Versions::Release, runtimes: BOTH, needs }
}

const fn draft(name: &'static str, version: &'static str) -> Interface {
    Interface { name, versions: Versions::Draft(version), runtimes: BOTH, needs: Grant::Nothing }
}

/// Every interface that a host provides. A host may be tested against it.
pub const INTERFACES: &[Interface] = &[
    release("wasi:cli/environment", Grant::Nothing),
    release("wasi:cli/exit", Grant::Nothing),
    release("wasi:cli/stderr", Grant::Nothing),
    release("wasi:cli/stdin", Grant::Nothing),
    release("wasi:cli/stdout", Grant::Nothing),
    release("wasi:cli/terminal-input", Grant::Nothing),
    release("wasi:cli/terminal-output", Grant::Nothing),
    release("wasi:cli/terminal-stderr", Grant::Nothing),
    release("wasi:cli/terminal-stdin", Grant::Nothing),
    release("wasi:cli/terminal-stdout", Grant::Nothing),
    release("wasi:clocks/monotonic-clock", Grant::Nothing),
    release("wasi:clocks/wall-clock", Grant::Nothing),
    release("wasi:filesystem/preopens", Grant::Directory),
    release("wasi:filesystem/types", Grant::Directory),
    release("wasi:http/outgoing-handler", Grant::Outgoing),
    release("wasi:http/types", Grant::Nothing),
    release("wasi:io/error", Grant::Nothing),
    release("wasi:io/poll", Grant::Nothing),
    release("wasi:io/streams", Grant::Nothing),
    release("wasi:random/insecure", Grant::Nothing),
    release("wasi:random/insecure-seed", Grant::Nothing),
    release("wasi:random/random", Grant::Nothing),
    release("wasi:sockets/instance-network", Grant::Never),
    release("wasi:sockets/ip-name-lookup", Grant::Never),
    release("wasi:sockets/network", Grant::Never),
    release("wasi:sockets/tcp", Grant::Never),
    release("wasi:sockets/tcp-create-socket", Grant::Never),
    release("wasi:sockets/udp", Grant::Never),
    release("wasi:sockets/udp-create-socket", Grant::Never),
    draft("wasi:config/store", "0.2.0-rc.1"),
    draft("wasi:keyvalue/atomics", "0.2.0-draft"),
    draft("wasi:keyvalue/atomics", "0.2.0-draft2"),
    draft("wasi:keyvalue/store", "0.2.0-draft"),
    draft("wasi:keyvalue/store", "0.2.0-draft2"),
];

/// Returns the interface of the table, or `None` if no host provides it in this version.
pub fn interface(name: &str, version: Option<&str>) -> Option<&'static Interface> {
    INTERFACES.iter().find(|interface| interface.name == name && interface.versions.include(version))
}
