//! The log, on standard error: what the host has to say, and what components write. Standard output is the protocol's.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// How much of an unfinished line is kept before it is written as it is.
const LINE: usize = 8 * 1024;

/// Writes a line about a service, or about the host itself when `about` is empty.
///
/// There is nobody to tell when standard error is gone, so that is ignored.
pub fn line(about: &str, message: &str) {
    let line = if about.is_empty() { format!("{message}\n") } else { format!("[{about}] {message}\n") };
    // In one piece, so that lines of several threads do not mix.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// The standard output and error of an instance, which both go to the host's standard error, line by line.
#[derive(Debug, Clone)]
pub struct GuestLog {
    service: Arc<str>,
}

impl GuestLog {
    /// The log of an instance of a service.
    pub fn new(service: Arc<str>) -> Self {
        Self { service }
    }

    fn stream(&self) -> LogStream {
        LogStream { service: Arc::clone(&self.service), line: Vec::new() }
    }
}

impl IsTerminal for GuestLog {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestLog {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.stream())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.stream())
    }
}

/// One handle on the log; what it has of an unfinished line is written when it is dropped.
struct LogStream {
    service: Arc<str>,
    line: Vec<u8>,
}

impl LogStream {
    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.line.len() > LINE {
                self.flush_line();
            }
        }
    }

    fn flush_line(&mut self) {
        line(&self.service, String::from_utf8_lossy(&self.line).trim_end_matches('\n'));
        self.line.clear();
    }
}

impl Drop for LogStream {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.flush_line();
        }
    }
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE)
    }
}

#[async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for LogStream {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
