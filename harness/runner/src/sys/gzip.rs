//! What a registry would send: everything that is called compressed is held to this one compressor.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

/// How much is handed to the compressor at once, in bytes. Some compressors' output depends on it, so it must not depend on
/// how the stream is read.
const CHUNK: u64 = 64 * 1024;

/// The bytes of a stream, as they are and after gzip at level 6.
///
/// # Errors
/// What reading the stream gives.
pub(crate) fn sizes(mut plain: impl Read) -> io::Result<(u64, u64)> {
    let mut encoder = GzEncoder::new(Count(0), Compression::new(6));
    let (mut bytes, mut chunk) = (0, Vec::new());
    while plain.by_ref().take(CHUNK).read_to_end(&mut chunk)? > 0 {
        encoder.write_all(&chunk)?;
        bytes += chunk.len() as u64;
        chunk.clear();
    }
    Ok((bytes, encoder.finish()?.0))
}

/// Counts what is written to it.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
