//! The runtime with real containers, which need root.

mod errors;
mod isolation;
mod life;
mod scene;
