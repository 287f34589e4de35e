//! What is said when a container cannot be started.

use std::path::Path;

use fs_err as fs;

use crate::scene::{Scene, scene};

/// Runs it in vain; gives what was said about that.
#[track_caller]
fn error_of(scene: &Scene, change: impl FnOnce(&mut std::process::Command)) -> String {
    let mut command = scene.command(&[], &[]);
    change(&mut command);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    assert_eq!(scene.traces(), Vec::<&Path>::new());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("error: "), "{said}");
    said
}

#[test]
fn a_missing_root_is_named() {
    let Some(scene) = scene("no-root") else { return };
    fs::remove_dir_all(scene.rootfs()).unwrap();
    let said = error_of(&scene, |_| {});
    assert!(said.contains("--rootfs") && said.contains(scene.rootfs().to_str().unwrap()), "{said}");
    fs::write(scene.rootfs(), "").unwrap();
    assert!(error_of(&scene, |_| {}).contains("--rootfs"), "{said}");
}

#[test]
fn a_missing_program_is_named() {
    let Some(scene) = scene("no-program") else { return };
    fs::remove_file(scene.rootfs().join("program")).unwrap();
    let said = error_of(&scene, |_| {});
    assert!(said.contains("no program /program is in the root file system"), "{said}");
}

#[test]
fn a_program_of_which_only_root_may_run_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(scene) = scene("no-mode") else { return };
    fs::set_permissions(scene.rootfs().join("program"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let said = error_of(&scene, |_| {});
    assert!(said.contains("/program may not be executed by everybody"), "{said}");
}

#[test]
fn a_root_that_only_root_may_enter_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(scene) = scene("no-way") else { return };
    fs::set_permissions(scene.rootfs(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let said = error_of(&scene, |_| {});
    assert!(said.contains("/program is out of reach") && said.contains("755"), "{said}");
}

#[test]
fn what_is_no_program_is_named() {
    let Some(scene) = scene("no-elf") else { return };
    fs::write(scene.rootfs().join("program"), "words").unwrap();
    let said = error_of(&scene, |_| {});
    assert!(said.contains("/program cannot be executed"), "{said}");
}

#[test]
fn bad_arguments_are_named() {
    let Some(scene) = scene("arguments") else { return };
    let said = error_of(&Scene { id: "a/b".into(), ..scene }, |_| {});
    assert!(said.contains("--id must"), "{said}");
}

#[test]
fn a_user_who_is_not_root_is_refused() {
    use std::os::unix::process::CommandExt as _;
    let Some(scene) = scene("not-root") else { return };
    let said = error_of(&scene, |command| {
        command.uid(65534);
    });
    assert!(said.contains("run as root"), "{said}");
}

#[test]
fn limits_that_the_kernel_refuses_are_named() {
    let Some(scene) = scene("no-cpus") else { return };
    let mut command = scene.command(&["--cpus", "4000"], &[]);
    let said = error_of(&scene, |changed| std::mem::swap(changed, &mut command));
    assert!(said.contains("cpus"), "{said}");
}
