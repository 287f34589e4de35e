//! The state of a CGI program: a file for each key, in a folder that its server grants.
//!
//! WASI 0.1 has no locks on files, so what must be atomic is a read and a write here. The server runs one process of a
//! service at a time, so that nothing comes between the two.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use super::{Cas, Store, StoreError, incremented};

/// Where the server puts the folder.
const FOLDER: &str = "/store";

/// The store in the folder that the server grants.
#[derive(Debug, Clone, Copy, Default)]
pub struct Files;

/// The file of a key: its name has every character that file systems may treat in their own way as its code.
fn file(key: &str) -> PathBuf {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut name = String::with_capacity(key.len() + 8);
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            _ => {
                let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
                name.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    PathBuf::from(FOLDER).join(name)
}

fn failed(error: &io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::PermissionDenied => StoreError::AccessDenied,
        _ => StoreError::Other(error.to_string()),
    }
}

fn read(key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(file(key)) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

fn write(key: &str, value: &[u8]) -> Result<(), StoreError> {
    match fs::write(file(key), value) {
        // The file would have been made: it is the folder that is not there.
        Err(error) if error.kind() == ErrorKind::NotFound => Err(StoreError::NoSuchStore),
        written => written.map_err(|error| failed(&error)),
    }
}

impl Store for Files {
    type Cas = FileCas;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        read(key)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        write(key, value)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match fs::remove_file(file(key)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|error| failed(&error)),
        }
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        let sum = incremented(read(key)?.as_deref(), delta)?;
        write(key, sum.to_string().as_bytes())?;
        Ok(sum)
    }

    async fn cas(&self, key: &str) -> Result<FileCas, StoreError> {
        Ok(FileCas { key: key.to_owned(), current: read(key)? })
    }
}

/// See [`Cas`].
#[derive(Debug)]
pub struct FileCas {
    key: String,
    current: Option<Vec<u8>>,
}

impl Cas for FileCas {
    fn current(&self) -> Option<&[u8]> {
        self.current.as_deref()
    }

    async fn swap(self, value: &[u8]) -> Result<bool, StoreError> {
        if read(&self.key)? != self.current {
            return Ok(false);
        }
        write(&self.key, value)?;
        Ok(true)
    }
}
