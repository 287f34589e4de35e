//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};

use crate::grants::Grants;

/// Serves components, and nothing else.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli<S: Args, C: Args> {
    /// What to do.
    #[command(subcommand)]
    pub command: Command<S, C>,
}

/// What a host can do.
#[derive(Debug, Subcommand)]
pub enum Command<S: Args, C: Args> {
    /// Serve components over HTTP, and say on standard output what happens.
    Serve(Serve<S>),
    /// Compile a component ahead. Of the settings of `serve` only those matter that are named here too.
    Compile(C),
}

/// What to compile ahead.
#[derive(Debug, Args)]
pub struct Compile {
    /// The component.
    pub component: PathBuf,
    /// The file to write.
    pub out: PathBuf,
}

/// What to serve.
#[derive(Debug, Args)]
pub struct Serve<S: Args> {
    /// A service: a name, a component (or one compiled ahead), and where to listen; like `auth=auth.cwasm@127.0.0.1:0`. A
    /// file compiled ahead runs as it is: trust it as you trust a program.
    #[arg(long = "service", value_name = "NAME=PATH@ADDR", required_unless_present = "control")]
    pub services: Vec<ServiceSpec>,

    /// Take commands, one JSON object per line, from standard input; stop at its end. Whoever writes there names files to
    /// run, as on the command line.
    #[arg(long)]
    pub control: bool,

    /// What the components may reach.
    #[command(flatten)]
    pub grants: Grants,

    /// How to run them.
    #[command(flatten)]
    pub settings: S,
}

/// A service to serve from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSpec {
    /// Its name.
    pub name: String,
    /// Its component.
    pub path: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
}

impl FromStr for ServiceSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a service is NAME=PATH@ADDR, like `auth=auth.cwasm@127.0.0.1:8080`".to_owned();
        let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
        // A path may have an @ of its own, an address has none.
        let (path, listen) = rest.rsplit_once('@').ok_or_else(wrong)?;
        if name.is_empty() || path.is_empty() {
            return Err(wrong());
        }
        let listen =
            listen.parse().map_err(|_| format!("`{listen}` is not an address and port, like `127.0.0.1:8080`"))?;
        Ok(Self { name: name.into(), path: path.into(), listen })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Common;
    use clap::CommandFactory;

    type Whole = Cli<Common, Compile>;

    #[test]
    fn the_command_line_is_consistent() {
        Whole::command().debug_assert();
    }

    #[test]
    fn a_service_is_a_name_a_path_and_an_address() {
        let spec: ServiceSpec = "auth=dir/a@b=c.cwasm@[::1]:0".parse().unwrap();
        assert_eq!(spec.name, "auth");
        assert_eq!(spec.path, PathBuf::from("dir/a@b=c.cwasm"));
        assert_eq!(spec.listen, "[::1]:0".parse().unwrap());
        for wrong in ["auth", "auth=a.cwasm", "=a.cwasm@127.0.0.1:0", "auth=@127.0.0.1:0", "auth=a.cwasm@localhost"] {
            assert!(wrong.parse::<ServiceSpec>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn there_must_be_something_to_serve() {
        assert!(Whole::try_parse_from(["host", "serve"]).is_err());
        assert!(Whole::try_parse_from(["host", "serve", "--control"]).is_ok());
    }
}
