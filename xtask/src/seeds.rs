//! The inputs that fuzzing begins with.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fs_err as fs;

use crate::workspace::Workspace;

/// Files of the repository that are seeds too: those of this name in the folders below services/, by target.
const OF_SERVICES: &[(&str, &str)] = &[("scenario", "scenario.toml")];

/// Targets that have no seeds of their own but those of another.
const SHARED: &[(&str, &str)] = &[("reader", "component")];

/// Copies the seeds of a target into its corpus. Components that are written as text are assembled.
///
/// # Errors
/// An error if a seed cannot be read, assembled or written.
pub fn copy(workspace: &Workspace, target: &str, corpus: &Path) -> Result<()> {
    fs::create_dir_all(corpus)?;
    for seed in files(&workspace.root, target)? {
        let bytes = fs::read(&seed)?;
        let is_text = seed.extension().is_some_and(|extension| extension == "wat");
        let bytes = if is_text { assemble(&bytes).with_context(|| seed.display().to_string())? } else { bytes };
        fs::write(corpus.join(name(&workspace.root, &seed)), bytes)?;
    }
    Ok(())
}

fn assemble(text: &[u8]) -> Result<Vec<u8>> {
    Ok(wat::parse_bytes(text)?.into_owned())
}

/// The seeds of a target: the files of its folder, and those among the services.
fn files(root: &Path, target: &str) -> Result<Vec<PathBuf>> {
    let folder = SHARED.iter().find(|(of, _)| *of == target).map_or(target, |(_, folder)| folder);
    let own = fs::read_dir(root.join("fuzz/seeds").join(folder))?;
    let mut found = own.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    for (_, file) in OF_SERVICES.iter().filter(|(of, _)| *of == target) {
        for entry in fs::read_dir(root.join("services"))? {
            found.push(entry?.path().join(file));
        }
    }
    found.retain(|path| path.is_file());
    Ok(found)
}

/// A file name for a seed that no other seed has: its path, without folders.
fn name(root: &Path, seed: &Path) -> String {
    let path = seed.strip_prefix(root).unwrap_or(seed);
    path.display().to_string().replace('/', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(files: &[(&str, &str)]) -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = folder.path().to_path_buf();
        let workspace = Workspace { target_directory: root.join("target"), root, packages: Vec::new() };
        (folder, workspace)
    }

    #[test]
    fn seeds_of_the_target_and_of_services_are_copied() {
        let files = [
            ("fuzz/seeds/scenario/a.toml", "a"),
            ("fuzz/seeds/other/b.toml", "b"),
            ("services/one/scenario.toml", "1"),
            ("services/two/scenario.toml", "2"),
            ("services/none/Cargo.toml", ""),
        ];
        let (folder, workspace) = workspace(&files);
        let corpus = folder.path().join("corpus");
        copy(&workspace, "scenario", &corpus).unwrap();
        let mut texts: Vec<String> =
            fs::read_dir(&corpus).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
        texts.sort();
        assert_eq!(texts, ["1", "2", "a"]);
    }

    #[test]
    fn components_as_text_are_assembled_and_faults_are_named_with_their_file() {
        let (folder, workspace) = workspace(&[("fuzz/seeds/good/a.wat", "(component)"), ("fuzz/seeds/bad/b.wat", "(")]);
        copy(&workspace, "good", &folder.path().join("corpus")).unwrap();
        let bytes = fs::read(folder.path().join("corpus/fuzz-seeds-good-a.wat")).unwrap();
        assert_eq!(&bytes[..4], b"\0asm");
        let error = copy(&workspace, "bad", &folder.path().join("corpus")).unwrap_err();
        assert!(format!("{error:#}").contains("b.wat"), "{error:#}");
    }
}
