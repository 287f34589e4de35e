//! The engine: how components are compiled and what their instances are made of.

use std::time::Duration;

use anyhow::Context;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

#[cfg(feature = "compiler")]
use crate::settings::OptLevel;
use crate::settings::{Allocator, Code, CopyOnWrite, PagemapScan, Settings};

/// How often running components are interrupted, to let others run and to look at their deadlines.
pub const TICK: Duration = Duration::from_millis(10);

/// How many linear memories the pool has per instance: one for a component, and one more for a component composed of
/// two. A memory takes address space only (4 GiB each) until it is used.
const MEMORIES_PER_INSTANCE: u32 = 2;

/// How many tables the pool has per instance. A component's toolchain adds a module with a table of its own.
const TABLES_PER_INSTANCE: u32 = 4;

/// How many core instances the pool counts per instance. They take memory only when they are made.
const CORE_INSTANCES_PER_INSTANCE: u32 = 32;

/// Makes the engine.
///
/// A component compiled ahead loads where [`Code`] is the same; the other settings do not matter to it.
///
/// # Errors
/// The system refuses the address space of the pool, or the settings contradict each other.
pub fn new(settings: &Settings) -> anyhow::Result<Engine> {
    let mut config = config(settings.code);
    if settings.allocator == Allocator::Pooling {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(settings)));
    }
    Engine::new(&config).map_err(anyhow::Error::from).with_context(|| {
        format!(
            "the engine does not start with a pool for {} instances; does a limit on address space hold (ulimit -v)? \
             Try fewer with --max-instances, or --allocator on-demand",
            settings.common.max_instances
        )
    })
}

/// Makes an engine that compiles ahead for the engines of [`new`].
///
/// # Errors
/// The processor or the system is not one that wasmtime knows.
#[cfg(feature = "compiler")]
pub fn for_compiling(code: Code) -> anyhow::Result<Engine> {
    Ok(Engine::new(&config(code))?)
}

/// All that must be equal where a component is compiled and where it is loaded.
fn config(code: Code) -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    // Time limits need it, and with it a component that computes for long lets others run.
    config.epoch_interruption(true);
    config.memory_init_cow(code.copy_on_write == CopyOnWrite::On);
    #[cfg(feature = "compiler")]
    config.cranelift_opt_level(match code.opt_level {
        OptLevel::None => wasmtime::OptLevel::None,
        OptLevel::Speed => wasmtime::OptLevel::Speed,
    });
    config
}

fn pool(settings: &Settings) -> PoolingAllocationConfig {
    // Warm instances that wait for the next request have their slots besides those of the running ones.
    let kept = if settings.common.reuse.get() > 1 { 2 } else { 1 };
    let instances = settings.common.max_instances.get().saturating_mul(kept);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_stacks(instances)
        .total_memories(instances.saturating_mul(MEMORIES_PER_INSTANCE))
        .total_tables(instances.saturating_mul(TABLES_PER_INSTANCE))
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES_PER_INSTANCE))
        .max_memory_size(settings.common.memory_limit)
        .table_elements(usize::try_from(settings.common.table_elements).unwrap_or(usize::MAX))
        .linear_memory_keep_resident(settings.keep_resident)
        .table_keep_resident(settings.keep_resident)
        .pagemap_scan(match settings.pagemap_scan {
            PagemapScan::Auto => Enabled::Auto,
            PagemapScan::Off => Enabled::No,
        });
    pool
}

/// Interrupts the engine's running components every [`TICK`], for as long as the process lives.
///
/// A thread of its own, because a component that does not return may have all the others.
///
/// # Errors
/// The system refuses the thread.
pub fn start_ticking(engine: &Engine) -> anyhow::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("ticker".into())
        .stack_size(64 * 1024)
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })
        .context("the thread that interrupts components does not start")?;
    Ok(())
}
