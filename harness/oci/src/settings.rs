//! The arguments of a run, checked.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};
use nix::unistd::Uid;

use crate::cli::Args;

/// A container that can be tried to start.
pub(crate) struct Settings {
    pub(crate) rootfs: PathBuf,
    pub(crate) state: PathBuf,
    /// A path from the top of each hierarchy, without a `/` before it.
    pub(crate) cgroup: PathBuf,
    pub(crate) id: String,
    /// The program and its arguments; never empty.
    pub(crate) program: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) limits: Limits,
}

/// What the cgroup enforces.
pub(crate) struct Limits {
    pub(crate) cpus: Option<String>,
    /// In bytes.
    pub(crate) memory: Option<i64>,
    pub(crate) pids: Option<u32>,
}

impl TryFrom<&Args> for Settings {
    type Error = anyhow::Error;

    fn try_from(args: &Args) -> Result<Self> {
        ensure!(Uid::effective().is_root(), "this user is not root, as containers with limits need: run as root");
        // The process that makes the program's is in the cgroup too, until it has.
        ensure!(
            args.pids.is_none_or(|pids| pids >= 2),
            "--pids must be at least 2: the program's process is the second"
        );
        Ok(Self {
            rootfs: directory(&args.rootfs)?,
            state: args.state.clone(),
            cgroup: cgroup(&args.cgroup)?.to_owned(),
            id: id(&args.id)?.to_owned(),
            program: program(&args.program)?,
            env: args.env.iter().map(|variable| assignment(variable)).collect::<Result<_>>()?,
            limits: Limits { cpus: args.cpus.clone(), memory: args.memory, pids: args.pids },
        })
    }
}

fn directory(path: &Path) -> Result<PathBuf> {
    let found = fs_err::canonicalize(path).context("--rootfs must be the directory of a root file system")?;
    ensure!(found.is_dir(), "--rootfs must be the directory of a root file system, {} is none", path.display());
    Ok(found)
}

fn cgroup(path: &Path) -> Result<&Path> {
    let mut parts = path.components().peekable();
    ensure!(
        parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_))),
        "--cgroup must be a path such as `tare/1` without `/` before it or `..` in it, `{}` is not",
        path.display()
    );
    Ok(path)
}

/// An identifier becomes the name of a folder and of a host.
fn id(id: &str) -> Result<&str> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-+.".contains(letter);
    ensure!(
        !id.is_empty() && !id.starts_with('.') && id.chars().all(fits),
        "--id must consist of letters, digits, `_`, `-`, `+` and `.` and not begin with `.`, `{id}` does not"
    );
    Ok(id)
}

fn program(program: &[String]) -> Result<Vec<String>> {
    let path = program.first().context("no program given after `--`")?;
    ensure!(
        path.starts_with('/'),
        "the program must be a whole path in the root file system, which `{path}` is not: give `/{path}`"
    );
    Ok(program.to_vec())
}

fn assignment(variable: &str) -> Result<(String, String)> {
    let (name, value) = variable
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .with_context(|| format!("--env must be NAME=VALUE, `{variable}` is not"))?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_names_of_folders() {
        assert!(id("tare-1.x_y+z").is_ok());
        for bad in ["", ".", "..", "a/b", "a b", ".hidden", "ä"] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cgroup_is_below_the_top() {
        assert!(cgroup(Path::new("tare-1/x")).is_ok());
        for bad in ["", "/", "/tare", "..", "tare/../.."] {
            assert!(cgroup(Path::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn variables_are_split_at_the_first_sign() {
        assert_eq!(assignment("A=b=c").unwrap(), ("A".into(), "b=c".into()));
        assert_eq!(assignment("A=").unwrap(), ("A".into(), String::new()));
        assert!(assignment("A").is_err());
        assert!(assignment("=b").is_err());
    }

    #[test]
    fn programs_are_whole_paths() {
        assert!(program(&["/service".into(), "x".into()]).is_ok());
        assert!(program(&["service".into()]).is_err());
        assert!(program(&[]).is_err());
    }
}
