//! The line protocol between the runner and what it starts: one JSON object per line, [`Event`]s on the process's
//! standard output, [`Command`]s on its standard input.
//!
//! The Wasm hosts use these types. The services write the same event lines without sharing code with the harness; a
//! foreign program may stay silent, then its phases are not told apart.
//!
//! Times are `CLOCK_MONOTONIC` in nanoseconds: one clock for every process and container of a machine, so phases that
//! begin in one process and end in another can be told.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a measured process announces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A phase of the start ended.
    Phase {
        /// `main` (the process runs its own code), `engine`, `load` or `compile`, `link`.
        phase: String,
        /// When it ended.
        at_ns: u64,
    },
    /// A service accepts connections. The last phase of a start.
    Listening {
        /// The service's name.
        service: String,
        /// Where it listens.
        addr: SocketAddr,
        /// When it began to.
        at_ns: u64,
    },
    /// A Wasm host is up and has loaded no component yet; it takes commands.
    Ready {
        /// When it was.
        at_ns: u64,
    },
    /// A service could not be started; a host goes on with the others.
    Failed {
        /// The service's name.
        service: String,
        /// What happened, with its causes.
        error: String,
    },
}

/// What the runner asks of a Wasm host that was started to take commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Load a component and serve it; answered by phases and [`Event::Listening`], or by [`Event::Failed`].
    Deploy {
        /// The name to give it.
        service: String,
        /// The component, or the component compiled ahead.
        path: PathBuf,
        /// Where to listen; port 0 for any.
        listen: SocketAddr,
    },
    /// End every service and the process.
    Stop,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_as_documented() {
        let event = Event::Listening { service: "auth".into(), addr: ([127, 0, 0, 1], 80).into(), at_ns: 5 };
        let line = r#"{"event":"listening","service":"auth","addr":"127.0.0.1:80","at_ns":5}"#;
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
        assert_eq!(serde_json::from_str::<Event>(line).unwrap(), event);
        let line = r#"{"command":"deploy","service":"auth","path":"a.cwasm","listen":"127.0.0.1:0"}"#;
        let command =
            Command::Deploy { service: "auth".into(), path: "a.cwasm".into(), listen: ([127, 0, 0, 1], 0).into() };
        assert_eq!(serde_json::from_str::<Command>(line).unwrap(), command);
    }
}
