//! What can be set, checked and with its defaults. Every setting that moves a number is here or in what all hosts share.

use tare_host::settings::Common;

#[cfg(feature = "compiler")]
use crate::engine::Compiler;

/// The settings of a host.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct Settings {
    /// What compiles a component that was not compiled ahead.
    #[cfg(feature = "compiler")]
    #[arg(long, value_enum, default_value = "cranelift")]
    pub compiler: Compiler,

    /// What every host has. Each request that runs has a thread of its own.
    #[command(flatten)]
    pub common: Common,
}

impl Default for Settings {
    fn default() -> Self {
        tare_host::settings::defaults()
    }
}

/// What to compile ahead, and how.
#[derive(Debug, clap::Args)]
pub struct Compile {
    /// What to compile.
    #[command(flatten)]
    pub what: tare_host::cli::Compile,

    /// What compiles it.
    #[cfg(feature = "compiler")]
    #[arg(long, value_enum, default_value = "cranelift")]
    pub compiler: Compiler,
}
