//! The host's side of the canonical ABI and of the interfaces, without a runtime: against the interfaces' own text, and
//! against guests that pass anything at all. The host as a whole is tested as a process, by the tests of all hosts.

mod direct;
mod fake;
mod functions;
mod interfaces;
#[cfg(feature = "reader")]
mod reader;
mod tables;
mod values;
mod wit;
