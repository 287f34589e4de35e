//! Where things are: in a checkout, or in an unpacked archive of the built program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use tare_model::{DEFAULT_IMPLEMENTATION, check_name};

use super::manifest::{self, FILE};
use super::service::{Broken, Service, Source};
use crate::sys::facts;

/// The file in an unpacked archive that says what is in it.
pub const CONTENTS: &str = "contents.json";

/// The folder of an unpacked archive in which everything but the program is, beside the program's own folder.
pub const LIBRARY: &str = "lib/tare";

/// Where things are.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The folder with services/, containers/ and claims.toml: the checkout, or the archive's library.
    pub root: PathBuf,
    /// Whether that is an unpacked archive, from which nothing can be built by cargo.
    pub installed: bool,
    /// The folder with results/ and reports/.
    pub home: PathBuf,
    /// What the harness makes beside that: components compiled ahead, logs.
    pub work: PathBuf,
}

/// What a program was built from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Compilers and runtimes with their versions, by name.
    pub versions: BTreeMap<String, String>,
    /// The commit of the harness and its services, with `-dirty` where files had been changed; `None` outside a checkout.
    pub git_commit: Option<String>,
}

impl Layout {
    /// Finds the archive that this program is of, or else the checkout that holds the current folder.
    ///
    /// # Errors
    /// There is neither.
    pub fn find() -> Result<Self> {
        let here = std::env::current_dir().context("cannot read the current directory")?;
        let program = std::env::current_exe().context("cannot tell where this program is")?;
        if let Some(library) = library_of(&program) {
            let work = cache().unwrap_or_else(|| here.join(".tare"));
            return Ok(Self { root: library, installed: true, home: here, work });
        }
        let is_root = |dir: &&Path| dir.join("services").is_dir() && dir.join("harness/runner").is_dir();
        match here.ancestors().find(is_root) {
            Some(root) => Ok(Self::checkout(root)),
            None => bail!(
                "{} is not inside a checkout of this project: change into one, or unpack the archive that \
                 `cargo xtask dist` makes and run the program in it",
                here.display()
            ),
        }
    }

    /// A checkout.
    pub fn checkout(root: &Path) -> Self {
        Self { root: root.into(), installed: false, home: root.into(), work: root.join("target/tare") }
    }

    /// Logs of builds and of measured processes.
    pub fn logs(&self) -> PathBuf {
        self.work.join("logs")
    }

    /// The runs.
    pub fn results(&self) -> PathBuf {
        self.home.join("results")
    }

    /// The rendered reports.
    pub fn reports(&self) -> PathBuf {
        self.home.join("reports")
    }

    /// The claims to judge: those of the current folder where there are some, else those that come with the program.
    pub fn claims(&self) -> PathBuf {
        let own = self.home.join("claims.toml");
        if own.is_file() { own } else { self.root.join("claims.toml") }
    }

    /// A path relative to one of these folders where it is under it, for records and messages.
    pub fn relative(&self, path: &Path) -> String {
        let under = |base: &PathBuf| path.strip_prefix(base).ok();
        let relative = [&self.root, &self.home, &self.work].into_iter().find_map(under).unwrap_or(path);
        relative.display().to_string()
    }

    /// A text that is published, with paths under these folders and the user's own made relative: whose machine it was, and how
    /// its folders are called, is nobody's business.
    pub fn shortened(&self, text: &str) -> String {
        let mut folders = vec![(&self.root, ""), (&self.home, "")];
        let user = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.components().count() > 1);
        folders.extend(user.as_ref().map(|home| (home, "~/")));
        let mut text = text.to_owned();
        for (folder, short) in folders {
            text = text.replace(&format!("{}/", folder.display()), short);
        }
        text
    }

    /// The project's own services by name: every folder under services/ that has a file for one. And the folders that
    /// should hold one and do not, which keep nobody from using the others.
    ///
    /// # Errors
    /// The folder cannot be read, or has no service at all.
    pub fn services(&self) -> Result<(Vec<Service>, Vec<Broken>)> {
        let (mut services, mut broken) = (Vec::new(), Vec::new());
        let all = self.root.join("services");
        for entry in fs_err::read_dir(&all)? {
            let folder = entry?.path();
            // A link that leads nowhere is there, too: what is wrong with it is told.
            if folder.join(FILE).symlink_metadata().is_err() {
                continue;
            }
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match self.service(&folder, &name) {
                Ok(service) => services.push(service),
                Err(error) => broken.push(Broken { name, error }),
            }
        }
        services.sort_by(|a, b| a.name.cmp(&b.name));
        broken.sort_by(|a, b| a.name.cmp(&b.name));
        if services.is_empty() && broken.is_empty() {
            bail!("no folder under {} has a {FILE}", all.display());
        }
        Ok((services, broken))
    }

    fn service(&self, folder: &Path, name: &str) -> Result<Service> {
        check_name(name).map_err(anyhow::Error::msg)?;
        let service = manifest::load(folder)?;
        ensure!(
            service.name == name,
            "it calls itself `{}`: under services/ a folder has its service's name",
            service.name
        );
        let misnamed = service
            .implementations
            .iter()
            .any(|it| matches!(it.source, Source::Workspace { .. }) && it.name != DEFAULT_IMPLEMENTATION);
        ensure!(!misnamed, "what the workspace builds is the implementation `{DEFAULT_IMPLEMENTATION}`");
        let crates = !self.installed && service.is_built_in();
        ensure!(
            !crates || folder.join("Cargo.toml").is_file(),
            "there is no crate: {} has no Cargo.toml",
            folder.display()
        );
        Ok(service)
    }

    /// What this program was built from.
    pub fn provenance(&self) -> Provenance {
        if self.installed {
            let read = fs_err::read_to_string(self.root.join(CONTENTS)).ok();
            return read.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        }
        Provenance { versions: facts::versions(&self.root), git_commit: facts::git_commit(&self.root) }
    }
}

/// The library of the archive that a program is of.
fn library_of(program: &Path) -> Option<PathBuf> {
    let prefix = program.canonicalize().ok()?.parent()?.parent()?.to_owned();
    let library = prefix.join(LIBRARY);
    library.join(CONTENTS).is_file().then_some(library)
}

/// The user's folder for what can be made again.
fn cache() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    Some(named.or_else(usual).filter(|path| path.is_absolute())?.join("tare"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "[implementation.a]\nimage = \"a\"\n[[step]]\nname = \"a\"\nmethod = \"GET\"\npath = \"/\"\nexpect = { status = 200 }\nweight = 1\nprobe = true\n";

    #[test]
    fn a_broken_service_keeps_nobody_from_using_the_others() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::checkout(root.path());
        let write = |name: &str, text: &str| {
            let folder = root.path().join("services").join(name);
            fs_err::create_dir_all(&folder).unwrap();
            fs_err::write(folder.join(FILE), text).unwrap();
        };
        write("good", SERVICE);
        write("typo", &SERVICE.replace("weight", "wieght"));
        write("bad name", SERVICE);
        write("crateless", &SERVICE.replace("a]\nimage = \"a\"", "rust]\nworkspace = true"));
        fs_err::create_dir_all(root.path().join("services/kit")).unwrap();
        let (services, broken) = layout.services().unwrap();
        assert_eq!(services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>(), ["good"]);
        let told: Vec<String> = broken.iter().map(|broken| format!("{}: {:#}", broken.name, broken.error)).collect();
        assert!(told[0].contains("`bad name` is not a name") && told[1].contains("no Cargo.toml"), "{told:?}");
        assert!(told[2].contains("unknown field `wieght`"), "{told:?}");
    }

    #[test]
    fn what_is_published_names_no_folder_of_the_machine() {
        let layout = Layout::checkout(Path::new("/srv/me/tare"));
        let text = "no /srv/me/tare/services/a; see /srv/me/tare/target/tare/logs/a.log or /srv/me/other";
        assert_eq!(layout.shortened(text), "no services/a; see target/tare/logs/a.log or /srv/me/other");
    }

    #[test]
    fn an_unpacked_archive_is_told_by_its_contents() {
        let prefix = tempfile::tempdir().unwrap();
        let program = prefix.path().join("bin/tare");
        fs_err::create_dir_all(program.parent().unwrap()).unwrap();
        fs_err::write(&program, "").unwrap();
        assert_eq!(library_of(&program), None);
        let library = prefix.path().canonicalize().unwrap().join(LIBRARY);
        fs_err::create_dir_all(&library).unwrap();
        fs_err::write(library.join(CONTENTS), "{}").unwrap();
        assert_eq!(library_of(&program), Some(library));
    }
}
