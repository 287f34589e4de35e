//! What is seen of the program from outside, and what it leaves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Result;
use fs_err as fs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::engine::Engine;
use super::fault::Folder;
use super::mutate::ELSEWHERE;
use super::scene::{HOSTILE, Scene};

/// The environment variable by which the program knows its processes.
const OWNER: &str = "TARE_OWNER=";

/// The most memory of a process so far, in bytes; `None` where it has ended.
pub fn peak_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}

/// What is wrong with a text for a terminal or a page: words of a crash, or characters that steer it.
pub fn improper(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(line) = text.lines().find(|line| line.contains("panicked at") || line.contains("overflowed its stack"))
    {
        found.push(format!("it crashed: {line}"));
    }
    let steers = |char: &char| {
        (char.is_control() && !matches!(char, '\n' | '\t'))
            || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if let Some(char) = text.chars().find(steers) {
        found.push(format!("it shows the control character {}", char.escape_unicode()));
    }
    found
}

/// Removes what a process of the program has left, and tells what that was. To be called after the next start of the program.
///
/// # Errors
/// An error if it cannot be looked for.
pub fn leftovers(scene: &Scene<'_>, pid: u32, engine: Option<&Engine>) -> Result<Vec<String>> {
    let owner = format!("-{pid}-");
    let mut left = processes(scene, &owner)?;
    if let Some(engine) = engine {
        for container in engine.all()? {
            if container.owner().contains(&owner) || container.command.contains(&format!("/{HOSTILE}")) {
                left.push(format!("the container {:.12} ({})", container.id, container.command));
                engine.remove(&container)?;
            }
        }
    }
    for hierarchy in entries(Path::new("/sys/fs/cgroup")).into_iter().chain(["/sys/fs/cgroup".into()]) {
        let is_its = |path: &PathBuf| name(path).starts_with("tare-") && name(path).contains(&owner);
        left.extend(
            entries(&hierarchy).iter().filter(|path| is_its(path)).map(|path| format!("the cgroup {}", path.display())),
        );
    }
    let all = entries(&scene.folder(Folder::Temporary)).into_iter();
    let results = scene.folder(Folder::Results);
    let hidden = entries(&results).iter().flat_map(|run| entries(run)).collect::<Vec<_>>().into_iter();
    let hidden = hidden.chain(entries(&results)).chain(entries(&scene.folder(Folder::Reports)));
    let files = all.chain(hidden.filter(|path| name(path).starts_with('.')));
    left.extend(files.map(|path| path.strip_prefix(&scene.root).unwrap_or(&path).display().to_string()));
    Ok(left)
}

/// Ends the processes that the program has started, and tells what they were.
fn processes(scene: &Scene<'_>, owner: &str) -> Result<Vec<String>> {
    let mut left = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let folder = entry?.path();
        let Ok(pid) = name(&folder).parse::<i32>() else { continue };
        let environ = fs::read(folder.join("environ")).unwrap_or_default();
        let environ = String::from_utf8_lossy(&environ);
        let is_owned = environ.split('\0').any(|it| it.starts_with(OWNER) && it.contains(owner));
        let is_hostile = fs::read_link(folder.join("exe")).is_ok_and(|exe| exe == scene.stage.hostile);
        if is_owned || is_hostile {
            let command = fs::read_to_string(folder.join("cmdline")).unwrap_or_default().replace('\0', " ");
            left.push(format!("the process {pid} ({})", command.trim()));
            // It is what the program has started here, or it has ended meanwhile.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
    Ok(left)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is in a folder; nothing where it cannot be read.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The one run of a scene, if there is one.
pub fn run(scene: &Scene<'_>) -> Option<PathBuf> {
    let runs = entries(&scene.folder(Folder::Results)).into_iter();
    runs.filter(|path| path.is_dir() && !path.is_symlink()).max()
}

/// The rows of the run's samples that are complete on disk, with the head of the table; empty where there is no run.
pub fn rows(scene: &Scene<'_>) -> String {
    let text = run(scene).and_then(|run| fs::read_to_string(run.join("samples.csv")).ok()).unwrap_or_default();
    let end = text.rfind('\n').map_or(0, |end| end + 1);
    text.get(..end).unwrap_or_default().to_owned()
}

/// What lies below a folder: when it was changed, and how many bytes it has.
pub type Tree = BTreeMap<PathBuf, (SystemTime, u64)>;

/// Everything below a folder but what these hold. Of folders only that they are there.
///
/// # Errors
/// An error if it cannot be read.
pub fn tree(folder: &Path, but: &[PathBuf]) -> Result<Tree> {
    let mut found = Tree::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if but.contains(&path) {
                continue;
            }
            let metadata = fs::symlink_metadata(&path)?;
            if metadata.is_dir() {
                found.insert(path.clone(), (SystemTime::UNIX_EPOCH, 0));
                folders.push(path);
            } else {
                found.insert(path, (metadata.modified()?, metadata.len()));
            }
        }
    }
    Ok(found)
}

/// What has changed from the one to the other, and what is where nothing may ever be.
pub fn changes(before: &Tree, after: &Tree) -> Vec<String> {
    let changed = after.iter().filter(|(path, what)| before.get(*path) != Some(what)).map(|(path, _)| path);
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let mut found: Vec<String> = changed.chain(gone).map(|path| path.display().to_string()).collect();
    if Path::new(ELSEWHERE).exists() {
        // By that name it is nobody else's.
        let _ = fs::remove_dir_all(ELSEWHERE);
        found.push(ELSEWHERE.into());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_and_what_steers_a_terminal_are_improper() {
        assert_eq!(improper("a table\n\tof words: é…\n"), [""; 0]);
        assert_eq!(improper("\nthread 'main' panicked at src/a.rs:1:2:\n").len(), 1);
        for text in ["\u{1b}[31m", "a\rb", "\u{7}", "\u{9b}2J", "\u{202e}"] {
            assert_eq!(improper(text).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn what_is_new_gone_or_longer_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("own")).unwrap();
        for name in ["same", "gone", "longer"] {
            fs::write(path(name), "1").unwrap();
        }
        let before = tree(folder.path(), &[path("own")]).unwrap();
        fs::remove_file(path("gone")).unwrap();
        fs::write(path("longer"), "12").unwrap();
        fs::create_dir(path("new")).unwrap();
        fs::write(path("own/file"), "1").unwrap();
        let changed = changes(&before, &tree(folder.path(), &[path("own")]).unwrap());
        assert_eq!(changed, ["longer", "new", "gone"].map(|name| path(name).display().to_string()));
    }

    #[test]
    fn the_peak_of_this_process_is_known_and_of_none_is_not() {
        assert!(peak_bytes(std::process::id()).unwrap() > 100_000);
        assert_eq!(peak_bytes(u32::MAX), None);
    }
}
