//! Says what a Wasm file is, and whether one of the hosts can run it: before a host is started, and without a runtime.
//!
//! [`inspect`] reads a component. [`problems`] compares it with what a host provides, by the table [`INTERFACES`].
//!
//! The bytes may come from anybody. Every file is validated first, which bounds the work and the memory by the length of
//! the file; no input makes this crate panic. Both functions are pure, so they can be fuzzed as they are.

mod inspect;
mod interfaces;
mod problems;

pub use inspect::{Handler, Import, Inspected, NotAComponent, Shape, inspect};
pub use interfaces::{INTERFACES, Interface, Runtime, Support, Versions, interface};
pub use problems::{Effect, Granted, Problem, problems};
