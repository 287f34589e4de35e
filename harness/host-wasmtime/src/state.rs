//! What the host keeps for one instance: its view of the world, which is small.
//!
//! An instance has no file, no directory, no socket and no argument: only the environment granted, clocks, randomness,
//! its log, the values of its service and the request it answers.

use std::sync::Arc;
use std::time::Instant;

use tare_host::values::Values;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings;
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use crate::keyvalue::{self, KeyValueView};
use crate::log::GuestLog;

/// The most elements of a table; the pool's default, kept for instances outside of the pool too.
const TABLE_ELEMENTS: usize = 20_000;

/// What the instances of one service have in common.
#[derive(Debug)]
pub struct Grants {
    /// The service's name.
    pub service: Arc<str>,
    /// The environment that its instances see.
    pub env: Vec<(String, String)>,
    /// The state that they share.
    pub values: Arc<Values>,
    /// The most linear memory of each, in bytes.
    pub memory_limit: usize,
}

/// The data of an instance's store.
pub struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoOutgoing,
    table: ResourceTable,
    values: Arc<Values>,
    limits: Limits,
    /// When the request that the instance serves must be done.
    pub deadline: Instant,
}

impl State {
    /// Makes the store of a fresh instance.
    pub fn store(engine: &Engine, grants: &Grants, deadline: Instant) -> Store<Self> {
        let log = GuestLog::new(Arc::clone(&grants.service));
        let wasi = WasiCtx::builder().envs(&grants.env).stdout(log.clone()).stderr(log).build();
        let state = Self {
            wasi,
            http: WasiHttpCtx::new(),
            hooks: NoOutgoing,
            table: ResourceTable::new(),
            values: Arc::clone(&grants.values),
            limits: Limits { memory: grants.memory_limit, used: 0, refused: false },
            deadline,
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            if Instant::now() < context.data().deadline {
                Ok(UpdateDeadline::Yield(1))
            } else {
                Err(DeadlineReached.into())
            }
        });
        store
    }

    /// What the instance may have of memory, in bytes, if it asked for more.
    pub fn refused_memory(&self) -> Option<usize> {
        self.limits.refused.then_some(self.limits.memory)
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
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

/// Refuses the requests that components send.
struct NoOutgoing;

impl WasiHttpHooks for NoOutgoing {
    fn send_request(
        &mut self,
        _: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<SentRequest, Error>> + Send> {
        Box::new(std::future::ready(Err(Error::HttpRequestDenied)))
    }
}

/// A response, and what goes on after it.
type SentRequest = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

/// Counts the memory of an instance, all its linear memories together.
#[derive(Debug)]
struct Limits {
    memory: usize,
    used: usize,
    refused: bool,
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired - current);
        if used > self.memory {
            self.refused = true;
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}

/// Makes the linker, with all that a component may import: the interfaces of the proxy world, those that the standard
/// libraries of languages import besides, and `wasi:keyvalue`. There are no sockets.
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
    // There is no directory to open a file in.
    bindings::filesystem::types::add_to_linker::<_, WasiFilesystem>(l, State::filesystem)?;
    bindings::filesystem::preopens::add_to_linker::<_, WasiFilesystem>(l, State::filesystem)?;
    keyvalue::add_to_linker(l, |state| KeyValueView { values: &state.values, table: &mut state.table })?;
    Ok(linker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_counted_together() {
        let mut limits = Limits { memory: 100, used: 0, refused: false };
        assert!(limits.memory_growing(0, 60, None).unwrap());
        assert!(limits.memory_growing(0, 40, None).unwrap());
        assert!(!limits.refused);
        assert!(!limits.memory_growing(40, 41, None).unwrap());
        assert!(limits.refused);
        assert_eq!(limits.used, 100);
    }
}
