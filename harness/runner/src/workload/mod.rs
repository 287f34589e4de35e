//! What is measured, before anything is built of it: services with their scenarios and implementations, where they are
//! found, and the question that a start ends with. Starts nothing and knows no platform.

mod address;
mod layout;
mod manifest;
mod names;
pub mod needs;
pub mod placeholders;
mod probe;
mod program;
mod quick;
pub mod scenario;
mod service;

pub use address::{Address, PORT};
pub use layout::{CONTENTS, LIBRARY, Layout, Provenance};
pub use manifest::{load_given, parse as parse_service};
pub use needs::{Limits, MEMORY_LIMIT, Needs};
pub use probe::{GivenUp, Probe};
pub use program::find_program;
pub use quick::Quick;
pub use scenario::Scenario;
pub use service::{
    Broken, Build, Given, GivenComponent, GivenImage, GivenProgram, ImageSource, Implementation, Service, Source,
    Workload,
};
