//! What can be built or brought: the kinds of artifacts.

use std::collections::BTreeSet;

use super::cargo::CargoBuild;

/// A kind of artifact: of each service, or a host that serves them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// The service as a static binary with musl.
    MuslBinary,
    /// The service as a static binary with glibc.
    StaticBinary,
    /// The service as a binary that finds glibc where it runs.
    DynamicBinary,
    /// A program that somebody brings, as its command says.
    GivenProgram,
    /// An image that somebody brings.
    GivenImage,
    /// The service in WebAssembly.
    Guest(Guest),
    /// The same compiled ahead for this machine, for a host.
    Ahead(Guest, Runtime, Code),
    /// A host without a compiler, static with glibc.
    Host(Runtime),
    /// A host with its compilers, static with glibc.
    JitHost(Runtime),
    /// The same to compile ahead with, and for nothing that is measured: quick to build. Not built where the one above is.
    Compiler(Runtime),
    /// What starts containers without an engine.
    Starter,
}

/// A form of a service in WebAssembly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guest {
    /// A component of `wasi:http`.
    Component,
    /// The same without SIMD, for a compiler that does not have it.
    Plain,
    /// A component that exports one function of plain values.
    Direct,
    /// A program for WASI 0.1 that answers a request by CGI.
    Program,
}

/// How a guest is compiled ahead, where that is a setting whose worth is of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// As the runtime does it when nothing is said.
    Usual,
    /// Each instance copies the guest's data instead of mapping it.
    Copied,
}

impl Code {
    /// What its file's name ends in before the extension.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Usual => "",
            Self::Copied => "-copied",
        }
    }

    /// The arguments of the host that compiles.
    pub(super) fn args(self) -> &'static [&'static str] {
        match self {
            Self::Usual => &[],
            Self::Copied => &["--copy-on-write", "off"],
        }
    }
}

/// What a host runs guests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Runtime {
    /// Wasmtime.
    Wasmtime,
    /// Wasmer.
    Wasmer,
    /// Wasmer by its own runner for programs, which has no compiler of its own here.
    Wasix,
}

impl Guest {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Plain => "plain",
            Self::Direct => "direct",
            Self::Program => "program",
        }
    }

    /// What progress calls it.
    fn label(self) -> &'static str {
        match self {
            Self::Component => "Wasm components",
            Self::Plain => "Wasm components without SIMD",
            Self::Direct => "Wasm components without wasi:http",
            Self::Program => "WASI 0.1 programs",
        }
    }

    /// The target, the profile of the root manifest and further arguments. Cargo files what it builds by target and
    /// profile, so that no two forms may share both.
    fn cargo(self) -> (&'static str, &'static str, &'static [&'static str]) {
        match self {
            Self::Component => ("wasm32-wasip2", PROFILE, &[]),
            // Behind the flags of the project's configuration, which ask for it.
            Self::Plain => (
                "wasm32-wasip2",
                "service-plain",
                &["--config", "target.wasm32-wasip2.rustflags=['-Ctarget-feature=-simd128']"],
            ),
            Self::Direct => ("wasm32-wasip2", "service-direct", &["--features", "service-kit/direct"]),
            Self::Program => ("wasm32-wasip1", PROFILE, &[]),
        }
    }
}

impl Runtime {
    /// Its name in files and in progress.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wasmtime => "wasmtime",
            Self::Wasmer => "wasmer",
            Self::Wasix => "wasix",
        }
    }

    /// The folder of its host's package, under which cargo's answer files it.
    fn folder(self) -> &'static str {
        match self {
            Self::Wasmtime => "host-wasmtime",
            Self::Wasmer => "host-wasmer",
            Self::Wasix => "host-wasix",
        }
    }

    /// The name of its host's package, and of the binary without a compiler.
    pub fn package(self) -> String {
        format!("tare-{}", self.folder())
    }

    /// The profile of the root manifest that its hosts are built with. Cargo builds one thing at a time of each profile, so that
    /// only those of different profiles are built beside each other.
    fn profile(self) -> &'static str {
        match self {
            Self::Wasmtime => "service-wasmtime",
            Self::Wasmer | Self::Wasix => "service-wasmer",
        }
    }

    /// Whose host compiles ahead for it.
    #[must_use]
    pub fn compiler(self) -> Self {
        match self {
            Self::Wasix => Self::Wasmer,
            other => other,
        }
    }

    /// How a file compiled ahead for it ends.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Wasmtime => "cwasm",
            Self::Wasmer => "wasmer",
            Self::Wasix => "wasix",
        }
    }
}

/// The profile of the root manifest that everything measured is built with. Hosts have it under names of their own.
const PROFILE: &str = "service";

/// The profile of hosts that only compile ahead.
const COMPILER: &str = "compiler";

impl Product {
    /// Its name in files: of logs, and of what an archive holds.
    pub fn slug(self) -> String {
        match self {
            Self::MuslBinary => "static-musl".into(),
            Self::StaticBinary => "static-glibc".into(),
            Self::DynamicBinary => "dynamic".into(),
            Self::GivenProgram => "given-program".into(),
            Self::GivenImage => "given-image".into(),
            Self::Guest(guest) => format!("wasm-{}", guest.name()),
            Self::Ahead(guest, runtime, code) => format!("ahead-{}-{}{}", guest.name(), runtime.name(), code.suffix()),
            Self::Host(runtime) => format!("host-{}", runtime.name()),
            Self::JitHost(runtime) => format!("host-{}-jit", runtime.name()),
            Self::Compiler(runtime) => format!("compiler-{}", runtime.name()),
            Self::Starter => "starter".into(),
        }
    }

    /// The folder of its package, under which cargo's answer files it; `None` where there is one per service.
    pub(super) fn folder(self) -> Option<&'static str> {
        match self {
            Self::Host(runtime) | Self::JitHost(runtime) | Self::Compiler(runtime) => Some(runtime.folder()),
            Self::Starter => Some("oci"),
            _ => None,
        }
    }

    /// Whether one serves all services: a host, or the starter.
    pub fn is_shared(self) -> bool {
        self.folder().is_some()
    }

    /// What must be built first.
    pub(super) fn needs(self) -> Vec<Self> {
        match self {
            Self::Ahead(guest, runtime, _) => vec![Self::Guest(guest), Self::Compiler(runtime.compiler())],
            _ => Vec::new(),
        }
    }

    /// What progress calls it.
    pub(super) fn label(self) -> String {
        match self {
            Self::MuslBinary => "services, static binaries with musl".into(),
            Self::StaticBinary => "services, static binaries with glibc".into(),
            Self::DynamicBinary => "services, dynamic binaries".into(),
            Self::GivenProgram => "the program".into(),
            Self::GivenImage => "the image".into(),
            Self::Guest(guest) => format!("services, {}", guest.label()),
            Self::Ahead(guest, runtime, _) => format!("{}, compiled ahead for {}", guest.label(), runtime.name()),
            Self::Host(runtime) => format!("{} host without compiler", runtime.name()),
            Self::JitHost(runtime) => format!("{} host with compiler", runtime.name()),
            Self::Compiler(runtime) => format!("compiler of {}", runtime.name()),
            Self::Starter => "starter of containers without an engine".into(),
        }
    }

    pub(super) fn cargo(self, folders: &BTreeSet<String>) -> Option<CargoBuild> {
        let linux = |libc| Some(format!("{}-unknown-linux-{libc}", std::env::consts::ARCH));
        let bins = || vec!["--bins".to_owned()];
        let with_compiler = |runtime: Runtime| {
            let bin = format!("{}-jit", runtime.package());
            vec!["--bin".into(), bin, "--features".into(), "compiler".into()]
        };
        let (target, profile, args) = match self {
            Self::MuslBinary => (linux("musl"), PROFILE, bins()),
            Self::StaticBinary => (linux("gnu"), PROFILE, bins()),
            Self::DynamicBinary | Self::Starter => (None, PROFILE, bins()),
            Self::Guest(guest) => {
                let (target, profile, further) = guest.cargo();
                let args = bins().into_iter().chain(further.iter().map(|&arg| arg.to_owned())).collect();
                (Some(target.into()), profile, args)
            }
            Self::Host(runtime) => (linux("gnu"), runtime.profile(), vec!["--bin".into(), runtime.package()]),
            Self::JitHost(runtime) => (linux("gnu"), runtime.profile(), with_compiler(runtime)),
            Self::Compiler(runtime) => (None, COMPILER, with_compiler(runtime)),
            Self::Ahead(..) | Self::GivenProgram | Self::GivenImage => return None,
        };
        // For musl it is the default.
        let static_libc = matches!(self, Self::StaticBinary | Self::Host(_) | Self::JitHost(_));
        let packages = match self.folder() {
            Some(folder) => vec![format!("tare-{folder}")],
            None => folders.iter().map(|folder| format!("service-{folder}")).collect(),
        };
        Some(CargoBuild { packages, target, static_libc, profile, args })
    }
}
