//! What can be set, checked and with its defaults. Every setting that moves a number is here or in what all hosts share.

use tare_host::settings::Common;

/// Where instances get their memories, tables and stacks from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Allocator {
    /// From slots reserved at the start and reused: no mapping and unmapping per request.
    Pooling,
    /// From the kernel, for each instance anew.
    OnDemand,
}

/// Whether to ask the kernel which pages of a slot were written, in order to clear only those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PagemapScan {
    /// Where the kernel can (Linux 6.7 and newer).
    Auto,
    /// Never.
    Off,
}

/// What is decided when a component is compiled. How memory is made is part of the code: a component compiled ahead loads
/// only where it is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct Code {
    /// Whether an instance's memory begins as a copy-on-write mapping of the component's data, or is written anew.
    #[arg(long, value_enum, default_value = "on")]
    pub copy_on_write: CopyOnWrite,

    /// How much the compiler optimises.
    #[cfg(feature = "compiler")]
    #[arg(long, value_enum, default_value = "speed")]
    pub opt_level: OptLevel,
}

/// Whether an instance's memory begins as a copy-on-write mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CopyOnWrite {
    /// Pages of the component's data are shared until they are written.
    On,
    /// The data is copied into each instance.
    Off,
}

/// How much the compiler optimises.
#[cfg(feature = "compiler")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OptLevel {
    /// Not at all: compiles sooner.
    None,
    /// For speed.
    Speed,
}

/// What to compile ahead, and how.
#[derive(Debug, clap::Args)]
pub struct Compile {
    /// What to compile.
    #[command(flatten)]
    pub what: tare_host::cli::Compile,

    /// How.
    #[command(flatten)]
    pub code: Code,
}

/// The settings of a host.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct Settings {
    /// Where instances get their memory from.
    #[arg(long, value_enum, default_value = "pooling")]
    pub allocator: Allocator,

    /// How much of a slot is cleared in place rather than given back to the kernel, in bytes; of memories and tables
    /// each. With `--allocator pooling` only.
    // Given back, the next request pays a page fault for each page it writes; a small service writes less than this.
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024)]
    pub keep_resident: usize,

    /// Whether to ask the kernel which pages were written. With `--allocator pooling` only.
    #[arg(long, value_enum, default_value = "auto")]
    pub pagemap_scan: PagemapScan,

    /// What must be as it was when a component was compiled ahead.
    #[command(flatten)]
    pub code: Code,

    /// What every host has. Each of `max_instances` takes 3 µs at the start (guard pages) and half a kilobyte while idle.
    #[command(flatten)]
    pub common: Common,
}

impl Default for Settings {
    fn default() -> Self {
        tare_host::settings::defaults()
    }
}
