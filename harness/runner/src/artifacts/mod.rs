//! Getting what is measured: services built on every target, the Wasm hosts, what somebody brings, components compiled ahead.

pub mod archive;
mod build;
mod cargo;
mod check;
mod given;
mod product;
mod products;

pub use build::{Wanted, build};
pub use check::{component_problems, refusal};
pub use given::read_component;
pub use product::{Code, Guest, Product, Runtime};
pub use products::Products;

use std::path::Path;

use anyhow::Result;
use tare_model::ArtifactRecord;

use crate::sys::digest::sha256;
use crate::sys::gzip;

/// The record of a built file.
pub fn artifact(kind: &str, name: String, path: &Path) -> Result<ArtifactRecord> {
    let bytes = fs_err::read(path)?;
    Ok(ArtifactRecord { kind: kind.into(), name, bytes: bytes.len() as u64, sha256: sha256(&bytes) })
}

/// The size of a file in bytes.
pub fn file_size(path: &Path) -> Result<u64> {
    Ok(fs_err::metadata(path)?.len())
}

/// The size of a file after gzip at level 6, as a registry would send it, in bytes.
pub fn compressed_size(path: &Path) -> Result<u64> {
    Ok(gzip::sizes(fs_err::File::open(path)?)?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_digests_are_those_of_the_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("zeros");
        fs_err::write(&path, vec![0; 100_000]).unwrap();
        assert_eq!(file_size(&path).unwrap(), 100_000);
        assert!((50..1000).contains(&compressed_size(&path).unwrap()));
    }
}
