//! The load generator: puts a closed or an open loop of HTTP/1.1 requests on an address, checks every answer, and
//! records latencies.
//!
//! It knows addresses, not platforms: it never starts, stops or inspects what it loads, and touches no disk.
//!
//! - [`Request`] and [`Mix`]: what is sent. The sequence depends on a seed alone.
//! - [`run`] with [`Settings`]: one load, and its [`Outcome`].
//! - [`NullServer`] and [`ceiling`]: how much the generator could do, if the subject cost nothing.

mod ceiling;
mod connection;
mod cpu;
pub mod framing;
mod health;
mod mix;
mod null;
mod outcome;
mod request;
mod run;
mod schedule;
mod settings;
mod verify;
mod wait;
mod worker;

pub use ceiling::ceiling;
pub use hdrhistogram::Histogram;
pub use mix::{Draw, EmptyMix, Mix};
pub use null::NullServer;
pub use outcome::{Ended, Errors, Outcome, Tally};
pub use request::{Expect, Parts, Request, RequestError, UNIQUE};
pub use run::run;
pub use settings::{Arrivals, LoadError, Mode, Settings};
