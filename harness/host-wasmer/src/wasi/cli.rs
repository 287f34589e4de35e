//! `wasi:cli`: the environment granted, and standard streams that end in the host's log.

use std::sync::Arc;

use tare_host::log::GuestLines;

use super::io::{InputStream, OutputStream};
use super::table::{Interface, Table};
use crate::abi::{Own, Trap};
use crate::state::State;

/// A terminal to read from; there is none.
#[derive(Debug)]
pub enum TerminalInput {}

/// A terminal to write to; there is none.
#[derive(Debug)]
pub enum TerminalOutput {}

/// Adds the interfaces.
pub fn add(table: &mut Table) {
    Interface::new("wasi:cli/environment@0.2", table)
        .function("get-environment", |state, ()| Ok(state.context.grants.env.clone()))
        .function("get-arguments", |_, ()| Ok(Vec::<String>::new()))
        .function("initial-cwd", |_, ()| Ok(None::<String>));
    Interface::new("wasi:cli/exit@0.2", table)
        .function("exit", |_, (status,): (Result<(), ()>,)| -> Result<(), _> {
            Err(Trap::Exit(u8::from(status.is_err())))
        })
        .function("exit-with-code", |_, (code,): (u8,)| -> Result<(), _> { Err(Trap::Exit(code)) });
    Interface::new("wasi:cli/stdin@0.2", table)
        .function("get-stdin", |state, ()| state.handles.push(InputStream::Empty));
    Interface::new("wasi:cli/stdout@0.2", table).function("get-stdout", log);
    Interface::new("wasi:cli/stderr@0.2", table).function("get-stderr", log);
    Interface::new("wasi:cli/terminal-input@0.2", table).resource::<TerminalInput>();
    Interface::new("wasi:cli/terminal-output@0.2", table).resource::<TerminalOutput>();
    Interface::new("wasi:cli/terminal-stdin@0.2", table)
        .function("get-terminal-stdin", |_, ()| Ok(None::<Own<TerminalInput>>));
    Interface::new("wasi:cli/terminal-stdout@0.2", table)
        .function("get-terminal-stdout", |_, ()| Ok(None::<Own<TerminalOutput>>));
    Interface::new("wasi:cli/terminal-stderr@0.2", table)
        .function("get-terminal-stderr", |_, ()| Ok(None::<Own<TerminalOutput>>));
}

fn log(state: &mut State, (): ()) -> Result<Own<OutputStream>, Trap> {
    state.handles.push(OutputStream::Log(GuestLines::new(Arc::clone(&state.context.log))))
}
