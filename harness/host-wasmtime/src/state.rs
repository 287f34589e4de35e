//! What the host keeps for one instance: its view of the world, which is small.
//!
//! An instance has no socket and no argument, and only those files, variables, settings and destinations that were granted;
//! besides clocks, randomness, its log, the values of its service and the request it answers.

use std::sync::Arc;
use std::time::Instant;

use tare_host::front::ServiceContext;
use tare_host::settings::{Common, HANDLES, PASSED};
use tare_host::values::Values;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::log::GuestLog;
use crate::outgoing::Outgoing;

/// The data of an instance's store.
pub struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    table: ResourceTable,
    values: Arc<Values>,
    config: Arc<WasiConfigVariables>,
    limits: Limits,
    /// When the request that the instance serves must be done.
    pub deadline: Instant,
}

impl State {
    /// Makes the store of a fresh instance.
    ///
    /// # Errors
    /// A granted folder cannot be opened.
    pub fn store(
        engine: &Engine,
        context: &ServiceContext,
        config: &Arc<WasiConfigVariables>,
        settings: &Common,
        deadline: Instant,
    ) -> anyhow::Result<Store<Self>> {
        let ServiceContext { grants, values, log, .. } = context;
        let log = GuestLog::new(Arc::clone(log));
        let mut wasi = WasiCtx::builder();
        wasi.envs(&grants.env).stdout(log.clone()).stderr(log);
        for dir in &grants.dirs {
            let permissions = if dir.read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
            wasi.preopened_dir(&dir.host, &dir.guest, permissions)?;
        }
        let state = Self {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outgoing: Outgoing::new(Arc::clone(grants)),
            table: ResourceTable::new(),
            values: Arc::clone(values),
            config: Arc::clone(config),
            limits: Limits::new(settings),
            deadline,
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_max_component_handles(HANDLES);
        store.set_hostcall_fuel(PASSED);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            if Instant::now() < context.data().deadline {
                Ok(UpdateDeadline::Yield(1))
            } else {
                Err(DeadlineReached.into())
            }
        });
        Ok(store)
    }

    /// Returns the limit that the instance ran into, or `None`.
    pub fn refused(&self) -> Option<Refused> {
        self.limits.refused
    }

    /// Returns the settings that it finds in `wasi:config`.
    pub fn config(&self) -> &WasiConfigVariables {
        &self.config
    }

    /// Returns the values of its service, and the table for handles on them.
    pub fn values(&mut self) -> (&Arc<Values>, &mut ResourceTable) {
        (&self.values, &mut self.table)
    }
}

/// A request took longer than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline was reached")]
pub struct DeadlineReached;

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}

/// A limit that an instance ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It may have so many bytes of linear memory.
    Memory(usize),
    /// It may have so many elements in a table.
    Table(u32),
}

/// Limits an instance: its linear memories are counted together, its tables each for itself.
#[derive(Debug)]
struct Limits {
    memory: usize,
    table: u32,
    used: usize,
    refused: Option<Refused>,
}

impl Limits {
    fn new(settings: &Common) -> Self {
        Self { memory: settings.memory_limit, table: settings.table_elements, used: 0, refused: None }
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired - current);
        if used > self.memory {
            self.refused = Some(Refused::Memory(self.memory));
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = u32::try_from(desired).is_ok_and(|desired| desired <= self.table);
        if !allowed {
            self.refused = Some(Refused::Table(self.table));
        }
        Ok(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_counted_together() {
        let mut limits = Limits { memory: 100, table: 10, used: 0, refused: None };
        assert!(limits.memory_growing(0, 60, None).unwrap());
        assert!(limits.memory_growing(0, 40, None).unwrap());
        assert_eq!(limits.refused, None);
        assert!(!limits.memory_growing(40, 41, None).unwrap());
        assert_eq!(limits.refused, Some(Refused::Memory(100)));
        assert_eq!(limits.used, 100);
    }

    #[test]
    fn tables_are_limited_each_for_itself() {
        let mut limits = Limits { memory: 100, table: 10, used: 0, refused: None };
        assert!(limits.table_growing(0, 10, None).unwrap());
        assert!(limits.table_growing(0, 10, None).unwrap());
        assert_eq!(limits.refused, None);
        assert!(!limits.table_growing(10, 11, None).unwrap());
        assert_eq!(limits.refused, Some(Refused::Table(10)));
    }
}
