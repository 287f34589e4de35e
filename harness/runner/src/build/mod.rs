//! Building what is measured: services on every target, the Wasm hosts, components compiled ahead.

mod cargo;
mod products;

pub use products::{Code, Guest, Product, Products, Runtime, Wanted, build};

use std::path::Path;

use anyhow::Result;
use sha2::{Digest, Sha256};
use tare_model::ArtifactRecord;

use crate::engine::hex;
use crate::gzip;

/// The record of a built file.
pub fn artifact(kind: &str, name: String, path: &Path) -> Result<ArtifactRecord> {
    let bytes = fs_err::read(path)?;
    Ok(ArtifactRecord { kind: kind.into(), name, bytes: bytes.len() as u64, sha256: sha256(&bytes) })
}

/// SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
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
        // The digest of the empty string, from FIPS 180-4's published examples.
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
