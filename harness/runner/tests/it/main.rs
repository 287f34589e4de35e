//! The runner against the real things: what it starts, asks and removes.

mod engine;
mod run;
