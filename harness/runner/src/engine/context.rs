//! What an image is built from: the archive that the engine is sent, and its digest.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use fs_err as fs;
use sha2::{Digest as _, Sha256};

use super::ImageSpec;
use crate::sys::digest::hex;

/// The Dockerfile's name in the archive, whatever it is called on disk.
pub(super) const DOCKERFILE: &str = "Dockerfile";

/// The archive of a build.
pub(super) struct Archive {
    pub(super) tar: Vec<u8>,
    /// SHA-256 in hex of the archive, the build's arguments and the base's id: of all that the image depends on.
    pub(super) digest: String,
}

/// Packs an image's Dockerfile and files. Times and owners of the files stay out, so the same files make the same bytes
/// and, the engine keeping them, the same layers.
pub(super) fn pack(spec: &ImageSpec) -> Result<Archive> {
    let mut tar = tar::Builder::new(Vec::new());
    append(&mut tar, DOCKERFILE, &spec.dockerfile)?;
    for (name, path) in &spec.files {
        if name == DOCKERFILE {
            bail!("the context of {} has a file named {DOCKERFILE}: that name is taken", spec.name);
        }
        append(&mut tar, name, path)?;
    }
    let tar = tar.into_inner().context("packing the build's context")?;
    let mut digest = Sha256::new_with_prefix(&tar);
    for (name, value) in spec.build_args() {
        digest.update(format!("\0{name}={value}"));
    }
    if let Some(base) = &spec.base {
        digest.update(format!("\0{}", base.id));
    }
    Ok(Archive { tar, digest: hex(&digest.finalize()) })
}

fn append(tar: &mut tar::Builder<Vec<u8>>, name: &str, path: &Path) -> Result<()> {
    let executable = fs::metadata(path)?.permissions().mode() & 0o111 != 0;
    let bytes = fs::read(path)?;
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(if executable { 0o755 } else { 0o644 });
    header.set_mtime(0);
    tar.append_data(&mut header, name, &bytes[..]).with_context(|| format!("packing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn spec(dir: &Path) -> ImageSpec {
        ImageSpec {
            kind: "scratch".into(),
            name: "tare/x:scratch".into(),
            dockerfile: dir.join("x.Dockerfile"),
            files: vec![("x".into(), dir.join("x"))],
            args: BTreeMap::from([("SERVICE".into(), "x".into())]),
            base: None,
            run: "r1".into(),
        }
    }

    #[test]
    fn the_digest_follows_what_the_image_is_made_of_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x.Dockerfile"), "FROM scratch\n").unwrap();
        fs::write(dir.path().join("x"), "program").unwrap();
        let spec = spec(dir.path());
        let first = pack(&spec).unwrap();
        assert_eq!(first.digest.len(), 64);

        // A file written anew, and another run.
        fs::write(dir.path().join("x"), "program").unwrap();
        fs::File::open(dir.path().join("x")).unwrap().into_file().set_modified(std::time::UNIX_EPOCH).unwrap();
        let again = pack(&ImageSpec { run: "r2".into(), ..spec.clone() }).unwrap();
        assert_eq!((&again.tar, &again.digest), (&first.tar, &first.digest));

        let args = BTreeMap::from([("SERVICE".into(), "y".into())]);
        assert_ne!(pack(&ImageSpec { args, ..spec.clone() }).unwrap().digest, first.digest);
        fs::set_permissions(dir.path().join("x"), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_ne!(pack(&spec).unwrap().digest, first.digest);
        fs::write(dir.path().join("x"), "another").unwrap();
        assert_ne!(pack(&spec).unwrap().digest, first.digest);
    }

    #[test]
    fn a_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x.Dockerfile"), "FROM scratch\n").unwrap();
        let error = pack(&spec(dir.path())).err().unwrap();
        assert!(format!("{error:#}").contains(dir.path().join("x").to_str().unwrap()), "{error:#}");
    }
}
