//! What a registry would send: everything that is called compressed is held to this one compressor.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The bytes of a stream, as they are and after gzip at level 6.
///
/// # Errors
/// What reading the stream gives.
pub(crate) fn sizes(mut plain: impl Read) -> io::Result<(u64, u64)> {
    let mut encoder = GzEncoder::new(Count(0), Compression::new(6));
    let bytes = io::copy(&mut plain, &mut encoder)?;
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
