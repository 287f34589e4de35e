//! The program as a user runs it: the real binary on the real checkout, with real components, and real containers where
//! there is an engine.

mod agree;
mod beside;
mod compare;
mod depth;
mod faults;
mod foreign;
mod help;
mod program;
mod reports;
