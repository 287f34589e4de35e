//! A folder as a compressed archive: the same files always give the same bytes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use fs_err::{self as fs, File};
use sha2::{Digest, Sha256};
use tar::{Builder, HeaderMode};

/// Writes a folder into an archive, under a name of its own, and the archive's checksum beside it. What is there of the same
/// names is replaced when the new files are whole.
///
/// Owner and time of every entry are fixed, and of its mode only whether it may be executed is kept.
///
/// # Errors
/// An error if a file cannot be read or written.
pub fn write(folder: &Path, name: &str, file: &Path) -> Result<()> {
    let new = file.with_extension("new");
    let mut archive = Builder::new(GzEncoder::new(File::create(&new)?, Compression::best()));
    archive.mode(HeaderMode::Deterministic);
    archive.append_dir(name, folder)?;
    for path in entries(folder)? {
        let inside = Path::new(name).join(path.strip_prefix(folder)?);
        let added = archive.append_path_with_name(&path, &inside);
        added.with_context(|| format!("cannot put {} into {}", path.display(), new.display()))?;
    }
    archive.into_inner()?.finish()?.sync_all()?;
    let digest = sha256(&new)?;
    fs::rename(new, file)?;
    let name = file.file_name().context("the archive has no name")?.display();
    Ok(fs::write(checksum_of(file), format!("{digest}  {name}\n"))?)
}

/// The file with an archive's checksum, as `sha256sum --check` reads it.
pub fn checksum_of(archive: &Path) -> PathBuf {
    let mut name = archive.as_os_str().to_owned();
    name.push(".sha256");
    name.into()
}

/// All files and folders below a folder, sorted; a folder comes before what is in it.
///
/// # Errors
/// An error if a folder cannot be read.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(entries(&entry.path())?);
        }
        found.push(entry.path());
    }
    found.sort();
    Ok(found)
}

/// The SHA-256 of a file, in hex.
fn sha256(file: &Path) -> Result<String> {
    let digits: Vec<String> = Sha256::digest(fs::read(file)?).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(digits.concat())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, SystemTime};

    use super::*;

    /// A folder with two files, one of which may be executed; the order in which they are made and their times differ.
    fn folder(names: [&str; 2], age_s: u64) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
            let time = SystemTime::now() - Duration::from_secs(age_s);
            File::options().write(true).open(&path).unwrap().into_file().set_modified(time).unwrap();
        }
        fs::set_permissions(folder.path().join("bin/tare"), PermissionsExt::from_mode(0o700)).unwrap();
        folder
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let out = tempfile::tempdir().unwrap();
        let (one, other) = (out.path().join("one.tar.gz"), out.path().join("other.tar.gz"));
        write(folder(["bin/tare", "lib/contents.json"], 0).path(), "tare-1", &one).unwrap();
        write(folder(["lib/contents.json", "bin/tare"], 5000).path(), "tare-1", &other).unwrap();
        assert_eq!(fs::read(&one).unwrap(), fs::read(&other).unwrap());
    }

    #[test]
    fn an_archive_holds_everything_below_one_folder_and_its_checksum_is_beside_it() {
        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("tare-1.tar.gz");
        write(folder(["lib/contents.json", "bin/tare"], 0).path(), "tare-1", &file).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(File::open(&file).unwrap()));
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            format!("{} {:o} {}", entry.path().unwrap().display(), entry.header().mode().unwrap(), entry.size())
        });
        let expected = ["tare-1 755 0", "tare-1/bin 755 0", "tare-1/bin/tare 755 8", "tare-1/lib 755 0"];
        assert_eq!(entries.collect::<Vec<_>>(), [&expected[..], &["tare-1/lib/contents.json 644 17"]].concat());
        let checksum = fs::read_to_string(out.path().join("tare-1.tar.gz.sha256")).unwrap();
        assert_eq!(checksum, format!("{}  tare-1.tar.gz\n", sha256(&file).unwrap()));
    }

    /// The digest of `abc`, from the examples that NIST publishes for FIPS 180-4.
    #[test]
    fn the_checksum_is_that_of_the_standard() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(file.path()).unwrap(), expected);
    }
}
