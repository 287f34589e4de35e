//! The container engine, over its socket: images, containers, and what the engine's own processes cost.
//!
//! Never in here: the engine's command line client (it would add its own start to every number), an image or a
//! container without the labels that let a later run sweep it (but for what the engine keeps of builds that somebody brings),
//! a container reachable from another machine.

mod base;
mod brought;
mod connect;
mod container;
mod context;
mod image;
mod labels;
mod layers;
mod processes;
mod socket;
mod sweep;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bollard::Docker;

pub use base::{Base, BaseOrigin, PUBLIC_BASE};
pub use brought::ImageConfig;
pub use connect::{EngineError, EngineInfo};
pub use container::{Container, ContainerSpec, Exit, Hardening, Network, State};
pub use image::{Image, ImageSpec};
pub use labels::RunOwner;
pub use layers::Layer;
pub use processes::{ContainerProcesses, Daemons, Pinning, pin, processes_of};
pub use sweep::Swept;

/// A connection to the container engine of this machine. Cheap to clone; clones share what was found out about layers.
#[derive(Clone)]
pub struct Engine {
    docker: Docker,
    /// The same for calls that send much before they are answered.
    transfers: Docker,
    /// The process that listens on the socket, where the kernel tells: the engine, or what starts it on demand.
    peer: Option<i32>,
    /// Whether it gives containers other users than the machine's, unless told otherwise.
    remaps_users: bool,
    /// Sizes of the layers met so far, by digest: a base is compressed once, not once for each image on it.
    layers: Arc<Mutex<HashMap<String, LayerBytes>>>,
}

/// The size of a layer as an uncompressed and as a gzip-compressed archive, in bytes.
type LayerBytes = (u64, u64);

/// Whether the engine says that there is no such thing.
fn is_missing(error: &bollard::errors::Error) -> bool {
    matches!(error, bollard::errors::Error::DockerResponseServerError { status_code: 404, .. })
}
