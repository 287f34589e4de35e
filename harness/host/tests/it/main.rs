//! The real hosts, as processes, serving a component that misbehaves on demand.

/// Makes tests of functions that take a [`Program`]: one on each host.
macro_rules! on_every_host {
    ($($test:ident,)+) => {
        mod wasmtime {
            $(#[test] fn $test() { super::$test(&crate::artifacts::WASMTIME); })+
        }
        mod wasmer {
            $(#[test] fn $test() { super::$test(&crate::artifacts::WASMER); })+
        }
    };
}

mod artifacts;
mod bad_guests;
mod clients;
mod conformance;
mod direct;
mod grants;
mod isolation;
mod keyvalue;
mod limits;
mod process;
mod programs;
mod quotas;
mod refusals;
mod start_and_stop;
mod stock;
