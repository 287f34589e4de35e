//! The real hosts, as processes, serving a component that misbehaves on demand.

mod artifacts;
mod isolation;
mod keyvalue;
mod limits;
mod process;
mod start_and_stop;
