//! What the program finds in its container.

use nix::sys::signal::Signal;

use crate::scene::scene;

#[track_caller]
fn assert_has_line(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "no line `{line}` in:\n{text}");
}

#[test]
fn the_program_is_nobody_and_has_no_rights() {
    let Some(scene) = scene("rights") else { return };
    let status = scene.words_of(&[], &["show", "/proc/self/status", "pid", "host"]);
    let nothing = "0000000000000000";
    for line in
        ["Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534", "NoNewPrivs:\t1", "Seccomp:\t2"]
    {
        assert_has_line(&status, line);
    }
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "SigBlk"] {
        assert_has_line(&status, &format!("{set}:\t{nothing}"));
    }
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
    assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & (1 << (Signal::SIGPIPE as u32 - 1)), 0);
    let groups = status.lines().find_map(|line| line.strip_prefix("Groups:")).unwrap();
    assert_eq!(groups.trim(), "");
    assert_has_line(&status, "pid 1");
    assert_has_line(&status, &format!("host {}", scene.id));
}

#[test]
fn the_root_is_read_only_and_has_what_docker_mounts() {
    let Some(scene) = scene("root") else { return };
    let words = ["create", "/file", "create", "/dev/shm/file", "list", "/"];
    let told = scene.words_of(&[], &[&words[..], &["list", "/dev", "show", "/proc/self/mountinfo"]].concat());
    assert_has_line(&told, "create /file: Read-only file system");
    assert_has_line(&told, "create /dev/shm/file: ok");
    let mut listed = told.lines().filter(|line| line.ends_with(' ')).map(|line| {
        // A kernel that shows its memory has a link to it.
        let mut names: Vec<&str> = line.split_whitespace().filter(|&name| name != "core").collect();
        names.sort_unstable();
        names.join(" ")
    });
    assert_eq!(listed.next().unwrap(), "dev proc program sys");
    let devices = "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero";
    assert_eq!(listed.next().unwrap(), devices);
    for mount in ["/proc rw", "/dev rw", "/dev/mqueue rw", "/dev/shm rw", "/dev/pts rw", "/sys ro", "/proc/sys ro"] {
        assert!(told.contains(&format!(" {mount},")), "{mount} in:\n{told}");
    }
}

#[test]
fn the_environment_and_the_open_files_are_those_given() {
    let Some(scene) = scene("environment") else { return };
    let mut command = scene.command(&["--env", "A=1", "--env", "B=x=y"], &["env", "list", "/proc/self/fd"]);
    let output = command.env("SECRET", "1").env("LISTEN_FDS", "0").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let mut told: Vec<&str> = told.lines().skip(2).collect();
    // The listing holds a file open itself.
    assert_eq!(told.pop().unwrap(), "0 1 2 3 ");
    told.sort_unstable();
    assert_eq!(told, ["A=1", "B=x=y"]);
}

#[test]
fn calls_that_docker_forbids_are_forbidden() {
    let Some(scene) = scene("calls") else { return };
    let told = scene.words_of(&[], &["calls"]);
    let expected = [
        "fork: ok",
        "clone3: Function not implemented",
        "clone with a namespace: Operation not permitted",
        "unshare: Operation not permitted",
        "mount: Operation not permitted",
        "bpf: Operation not permitted",
        "socket: ok",
        "vsock: Operation not permitted",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn the_limits_are_in_force() {
    let Some(scene) = scene("limits") else { return };
    let memory = ["--memory", "16777216"];
    let fits = scene.run(&memory, &["eat", "4194304"]);
    assert_eq!(fits.status.code(), Some(0), "{fits:?}");
    let does_not_fit = scene.run(&memory, &["eat", "67108864"]);
    assert_eq!(does_not_fit.status.code(), Some(137), "{does_not_fit:?}");
    assert!(String::from_utf8_lossy(&does_not_fit.stderr).contains("over its memory limit"), "{does_not_fit:?}");
    let status = scene.words_of(&["--cpus", "0"], &["show", "/proc/self/status"]);
    assert_has_line(&status, "Cpus_allowed_list:\t0");
    assert_eq!(scene.words_of(&["--pids", "3"], &["crowd", "8"]), "crowd of 3\n");
}
