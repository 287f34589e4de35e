//! What the host keeps for one instance: its view of the world, which is small.
//!
//! An instance has no file, no directory, no socket and no argument: only the environment and the settings granted, clocks,
//! randomness, its log, the values of its service and the request it answers.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tare_host::front::ServiceContext;
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio::time::timeout_at;
use wasmer::{Function, Memory, TypedFunction};

use crate::abi::{Handles, Trap};
use crate::reply::Reply;
use crate::wasi::Entry;

/// The guest's `realloc`: old address, old size, alignment, new size; returns an address.
pub type Realloc = TypedFunction<(i32, i32, i32, i32), i32>;

/// What the host needs of the instance's own modules, each known once its module is instantiated.
#[derive(Debug, Default)]
pub struct Links {
    /// The memories that host functions read and write.
    pub memories: Vec<Option<Memory>>,
    /// The functions that give memory to host functions.
    pub reallocs: Vec<Option<Realloc>>,
    /// Functions of modules that are instantiated after others that import them.
    pub later: Vec<Option<Function>>,
}

/// The data of an instance.
#[derive(Debug)]
pub struct State {
    /// What it has in common with the other instances of its service.
    pub context: Arc<ServiceContext>,
    /// Its handles.
    pub handles: Handles<Entry>,
    /// Its modules' parts.
    pub links: Links,
    /// Whether the host is calling back into the guest: it must not call the host meanwhile.
    pub allocating: bool,
    /// When the request that it serves must be done.
    pub deadline: Instant,
    /// Where the answer to that request goes.
    pub reply: Option<Arc<Reply>>,
    /// What drives timers and bodies.
    runtime: Handle,
}

impl State {
    /// The state of a fresh instance. Called within a runtime.
    pub fn new(context: Arc<ServiceContext>, links: Links, runtime: Handle) -> Self {
        let handles = Handles::default();
        Self { context, handles, links, allocating: false, deadline: Instant::now(), reply: None, runtime }
    }

    /// Waits until `poll` is ready, which must wake what it is polled with or be ready at `until`.
    ///
    /// # Errors
    /// `poll` fails, or the deadline is reached.
    pub fn wait<T>(
        &mut self,
        until: Option<Instant>,
        mut poll: impl FnMut(&mut Self, &mut Context<'_>) -> Result<Poll<T>, Trap>,
    ) -> Result<T, Trap> {
        if let Poll::Ready(value) = poll(self, &mut Context::from_waker(Waker::noop()))? {
            return Ok(value);
        }
        if let Some(reply) = &self.reply {
            reply.release();
        }
        let (deadline, runtime) = (self.deadline, self.runtime.clone());
        let waiting = async {
            let mut until = until.map_or(deadline, |until| until.min(deadline));
            loop {
                let ready = std::future::poll_fn(|cx| match poll(self, cx) {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
                    Err(trap) => Poll::Ready(Err(trap)),
                });
                match timeout_at(until.into(), ready).await {
                    Ok(result) => return result,
                    Err(_) if until >= deadline => return Err(Trap::DeadlineReached),
                    // The time that something waits for has come: it is ready when it is polled again.
                    Err(_) => until = deadline,
                }
            }
        };
        // On a thread of the runtime's own, others take over what else that thread has to do.
        block_in_place(|| runtime.block_on(waiting))
    }
}
