//! What programs ask of the machine that they run on: shared libraries, and the version of the C library.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fs_err as fs;
use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::FileHeader;

use crate::archive::entries;

/// How the names of glibc's libraries begin: they are there where it is.
const OF_GLIBC: &[&str] = &["ld-linux", "libc.so", "libdl.so", "libm.so", "libpthread.so", "librt.so"];

/// How the versions of glibc's symbols begin.
const GLIBC: &str = "GLIBC_";

/// What the programs of a folder ask for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The version of glibc that they need, as its numbers; `None` if all are static.
    pub glibc: Option<Vec<u32>>,
    /// The libraries that do not come with glibc, each with the programs that load it, relative to the folder.
    pub libraries: BTreeMap<String, BTreeSet<PathBuf>>,
}

impl Needs {
    /// Looks at all programs below a folder.
    ///
    /// # Errors
    /// An error if a file cannot be read, or is a program that cannot be understood.
    pub fn of(folder: &Path) -> Result<Self> {
        let mut needs = Self::default();
        for path in entries(folder)?.into_iter().filter(|path| path.is_file()) {
            let bytes = fs::read(&path)?;
            if bytes.starts_with(&elf::ELFMAG) {
                let program = path.strip_prefix(folder)?;
                needs.add(&bytes, program).with_context(|| format!("cannot understand {}", path.display()))?;
            }
        }
        Ok(needs)
    }

    fn add(&mut self, bytes: &[u8], program: &Path) -> Result<()> {
        let header = FileHeader64::<Endianness>::parse(bytes)?;
        let endian = header.endian()?;
        let sections = header.sections(endian, bytes)?;
        let dynamic = sections.dynamic_table(endian, bytes)?;
        for entry in dynamic.iter().filter(|entry| entry.tag == elf::DT_NEEDED) {
            let name = String::from_utf8_lossy(dynamic.string(entry)?).into_owned();
            if !OF_GLIBC.iter().any(|start| name.starts_with(start)) {
                self.libraries.entry(name).or_default().insert(program.into());
            }
        }
        let Some((libraries, link)) = sections.gnu_verneed(endian, bytes)? else { return Ok(()) };
        let strings = sections.strings(endian, bytes, link)?;
        for library in libraries {
            for version in library?.1 {
                let version = version?;
                // The program starts without what is weak, and does without it.
                if !version.vna_flags.get(endian).contains(elf::VER_FLG_WEAK) {
                    let name = String::from_utf8_lossy(version.name(endian, strings)?);
                    self.glibc = self.glibc.take().max(glibc(&name));
                }
            }
        }
        Ok(())
    }
}

/// The numbers of a version of glibc; `None` if it is of another library.
fn glibc(version: &str) -> Option<Vec<u32>> {
    version.strip_prefix(GLIBC)?.split('.').map(|number| number.parse().ok()).collect()
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.glibc {
            Some(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
                write!(f, "glibc {} or newer", numbers.join("."))?;
            }
            None => f.write_str("any C library")?,
        }
        for (library, programs) in &self.libraries {
            let programs: Vec<String> = programs.iter().map(|program| program.display().to_string()).collect();
            write!(f, "\n  {library} for {}", programs.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_glibc_are_compared_by_their_numbers() {
        assert!(glibc("GLIBC_2.10") > glibc("GLIBC_2.9"));
        assert!(glibc("GLIBC_2.2.5") < glibc("GLIBC_2.34"));
        assert_eq!((glibc("GCC_3.0"), glibc("GLIBC_PRIVATE")), (None, None));
    }

    /// This test's own program is one that is linked with the C library.
    #[test]
    fn what_a_program_needs_is_read_from_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        fs::copy(std::env::current_exe().unwrap(), folder.path().join("bin/test")).unwrap();
        fs::write(folder.path().join("text"), "no program").unwrap();
        let needs = Needs::of(folder.path()).unwrap();
        assert_eq!(needs.glibc.as_deref().and_then(|numbers| numbers.first()), Some(&2));
        assert!(!needs.libraries.keys().any(|name| name.starts_with("libc.so")), "{needs:?}");
        let unwinder = &needs.libraries["libgcc_s.so.1"];
        assert_eq!(unwinder, &BTreeSet::from([PathBuf::from("bin/test")]));
        assert!(needs.to_string().contains("libgcc_s.so.1 for bin/test"), "{needs}");
    }

    #[test]
    fn a_damaged_program_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("damaged"), [&elf::ELFMAG[..], &[0; 8]].concat()).unwrap();
        let error = Needs::of(folder.path()).unwrap_err();
        assert!(format!("{error:#}").contains("damaged"), "{error:#}");
    }
}
