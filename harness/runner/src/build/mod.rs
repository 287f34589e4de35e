//! Building what is measured: services on every target, the Wasm hosts, components compiled ahead.

mod cargo;
mod products;

pub use products::{Product, Products, build};

use std::io::Read;
use std::path::Path;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tare_model::ArtifactRecord;

use crate::engine::hex;

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

/// The size of a file after gzip at its default level, as a registry would send it, in bytes.
pub fn compressed_size(path: &Path) -> Result<u64> {
    let mut file = fs_err::File::open(path)?;
    let mut encoder = GzEncoder::new(Counter(0), Compression::default());
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(encoder.finish()?.0);
        }
        std::io::Write::write_all(&mut encoder, &buffer[..read])?;
    }
}

/// Counts the bytes that are written to it.
struct Counter(u64);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
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
