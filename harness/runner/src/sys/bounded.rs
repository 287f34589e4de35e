//! Files for what others say, within bounds.

use std::io::{Read, Result, Seek, SeekFrom, Write};
use std::path::Path;

use fs_err::File;

/// The most of what a program or an engine says that is kept, in bytes.
pub const LOG_LIMIT: usize = 16 << 20;

/// A file that takes no more than so much. What comes after that is dropped, and the file says so.
#[derive(Debug)]
pub struct BoundedFile<W = File> {
    file: W,
    limit: usize,
    left: usize,
}

impl BoundedFile {
    /// A new file of at most [`LOG_LIMIT`]; one that is there is written anew.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self::new(File::create(path)?, LOG_LIMIT))
    }
}

impl<W: Write> BoundedFile<W> {
    fn new(file: W, limit: usize) -> Self {
        Self { file, limit, left: limit }
    }

    /// Takes as much as there is room for.
    ///
    /// # Errors
    /// The disk takes no more.
    pub fn take(&mut self, bytes: &[u8]) -> Result<()> {
        if self.left == 0 {
            return Ok(());
        }
        let kept = bytes.len().min(self.left);
        self.left -= kept;
        self.file.write_all(&bytes[..kept])?;
        if self.left == 0 {
            writeln!(self.file, "\n[cut here: no more than {} MiB are kept]", self.limit >> 20)?;
        }
        Ok(())
    }
}

/// Cuts a file that somebody else has written to [`LOG_LIMIT`]; one that was cut says so.
///
/// # Errors
/// The disk refuses.
pub fn cut_file(path: &Path) -> Result<()> {
    let mut file = fs_err::OpenOptions::new().append(true).open(path)?;
    if file.metadata()?.len() > LOG_LIMIT as u64 {
        file.set_len(LOG_LIMIT as u64)?;
        writeln!(file, "\n[cut here: no more than {} MiB are kept]", LOG_LIMIT >> 20)?;
    }
    Ok(())
}

/// The end of a file: at most so many bytes.
///
/// # Errors
/// It cannot be read.
pub fn tail(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A text of at most so many bytes, cut where a letter ends; one that was cut says so.
pub fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{} [… {} more bytes]", &text[..end], text.len() - end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_and_says_so() {
        let mut kept = BoundedFile::new(Vec::new(), 1 << 20);
        for _ in 0..5 {
            kept.take(&vec![b'a'; 300_000]).unwrap();
        }
        let text = String::from_utf8(kept.file).unwrap();
        let kept = text.strip_suffix("\n[cut here: no more than 1 MiB are kept]\n").unwrap();
        assert_eq!(kept.len(), 1 << 20);
    }

    #[test]
    fn a_file_of_somebody_else_is_cut_and_its_end_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs_err::write(&path, vec![b'a'; LOG_LIMIT + 1000]).unwrap();
        assert_eq!(tail(&path, 10).unwrap(), b"aaaaaaaaaa");
        cut_file(&path).unwrap();
        cut_file(&path).unwrap();
        assert!(tail(&path, 100).unwrap().ends_with(b"MiB are kept]\n"));
        assert!(fs_err::metadata(&path).unwrap().len() < LOG_LIMIT as u64 + 100);
        fs_err::write(&path, "short").unwrap();
        cut_file(&path).unwrap();
        assert_eq!(tail(&path, 100).unwrap(), b"short");
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("aüb", 2), "a [… 3 more bytes]");
    }
}
