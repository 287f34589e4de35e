//! What is measured does wrong: it costs its own cells, or nothing at all.

use super::super::fault::{Compare, Fault, Given, Kind, On, Task};

/// A subject that behaves so, how the comparison ends, and what it says.
const fn subject(name: &'static str, it: Compare, exits: &'static [i32], says: &'static [&'static str]) -> Fault {
    Fault { name, kind: Kind::Subject, task: Task::Compare(it), given: Given::Usual, steps: &[], exits, says }
}

const QUICK: Compare = Compare::QUICK;
const LOADED: Compare = Compare::LOADED;
const HASTY: Compare = Compare { start_s: 3, ..QUICK };

const DONE: &[i32] = &[0];
const FAILED: &[i32] = &[1];
/// Nothing at all was measured.
const NOTHING: &[i32] = &[2];

/// All of them.
pub const FAULTS: &[Fault] = &[
    // Nothing is wrong with it.
    subject("good", LOADED.of("good"), DONE, &[]),
    subject("good-image", LOADED.on(On::Image), DONE, &[]),
    // Starts.
    subject("never-listens", HASTY.of("mute"), FAILED, &["it did not get ready"]),
    subject("never-answers", HASTY.of("silent"), FAILED, &["it did not get ready"]),
    subject("drips", HASTY.of("drip"), FAILED, &["it did not get ready"]),
    subject("hangs-up", HASTY.of("hangs-up"), FAILED, &["closed the connection without an answer"]),
    subject("slow", QUICK.of("slow"), DONE, &[]),
    subject("ends-before-it-listens", QUICK.of("exits"), FAILED, &["it ended with exit code 3", "so it"]),
    subject("image-ends-before-it-listens", QUICK.of("exits").on(On::Image), FAILED, &["it ended with exit code 3"]),
    subject("image-never-listens", HASTY.of("mute").on(On::Image), FAILED, &["it did not get ready"]),
    subject("image-never-answers", HASTY.of("silent").on(On::Image), FAILED, &["it did not get ready"]),
    // Answers.
    subject("endless-first-answer", QUICK.of("endless-body"), FAILED, &["answers with more than"]),
    subject("endless-answer-in-verification", QUICK.of("endless-later"), FAILED, &["the answer has more than"]),
    subject("endless-answers-under-load", LOADED.of("endless-under-load"), FAILED, &["longer than"]),
    subject("endless-continue", QUICK.of("endless-continue"), FAILED, &["faulty"]),
    subject("error-of-5-mb", QUICK.of("error-5mb"), FAILED, &["500"]),
    subject("length-too-long", QUICK.of("length-too-long"), FAILED, &["faulty"]),
    subject("length-too-short", LOADED.of("length-too-short"), FAILED, &["faulty"]),
    subject("length-of-ages", QUICK.of("length-of-ages"), FAILED, &["faulty"]),
    subject("chunks-that-are-none", QUICK.of("bad-chunks"), FAILED, &["faulty"]),
    subject("header-of-2-mb", QUICK.of("huge-header"), FAILED, &["faulty"]),
    subject("5000-headers", LOADED.of("many-headers"), FAILED, &["faulty"]),
    subject("no-http", QUICK.of("garbage"), FAILED, &["not an HTTP answer"]),
    subject("closes-each-connection", LOADED.of("closes"), DONE, &[]),
    subject("closes-without-a-word", LOADED.of("closes-silently"), FAILED, &["closed"]),
    subject("control-characters", QUICK.of("control"), FAILED, &["404"]),
    subject("wrong-in-verification", QUICK.of("wrong-later"), FAILED, &["404", "instead of 200"]),
    subject("wrong-under-load", LOADED.of("wrong-under-load"), FAILED, &["404"]),
    subject("silent-in-verification", QUICK.of("silent-later"), FAILED, &["faulty"]),
    subject("silent-under-load", LOADED.of("silent-under-load"), FAILED, &["answered nothing at all"]),
    subject("listens-on-all-addresses", QUICK.of("open-to-all"), DONE, &["other machines can reach"]),
    // Its end.
    subject("dies-in-verification", QUICK.of("dies-in-verification"), FAILED, &["it died", "exit code 7"]),
    subject("dies-under-load", LOADED.of("dies-under-load"), FAILED, &["it died", "exit code 7"]),
    subject("stops-under-load", LOADED.of("stops-under-load"), FAILED, &["answered nothing at all"]),
    subject("ignores-sigterm", QUICK.of("ignores-term"), DONE, &[]),
    subject("image-ignores-sigterm", QUICK.of("ignores-term").on(On::Image), DONE, &[]),
    subject(
        "image-dies-in-verification",
        QUICK.of("dies-in-verification").on(On::Image),
        FAILED,
        &["it died", "exit code 7"],
    ),
    // Its output.
    subject("endless-line-on-stdout", LOADED.of("stdout-endless"), DONE, &[]),
    subject("200-mb-on-stdout", QUICK.of("stdout-200mb"), DONE, &[]),
    subject("200-mb-on-stderr", QUICK.of("stderr-200mb"), DONE, &[]),
    subject("image-200-mb-on-stdout", QUICK.of("stdout-200mb").on(On::Image), DONE, &[]),
    subject("million-phases", QUICK.of("phases"), DONE, &[]),
    subject("image-million-phases", QUICK.of("phases").on(On::Image), DONE, &[]),
    subject("line-that-is-no-text", QUICK.of("not-utf8"), DONE, &[]),
    subject("closes-its-stdout", QUICK.of("closes-stdout"), DONE, &[]),
    subject("announces-other-times", QUICK.of("other-times"), DONE, &[]),
    subject("image-announces-other-times", QUICK.of("other-times").on(On::Image), DONE, &[]),
    // What builds it.
    subject("build-command-fails", QUICK.of("exits").on(On::BuildCommand), NOTHING, &["exit status: 3", "so it"]),
    subject(
        "build-command-says-200-mb",
        QUICK.of("floods-and-exits").on(On::BuildCommand),
        NOTHING,
        &["exit status: 3"],
    ),
    subject("image-build-fails", QUICK.of("exits").on(On::BuildImage), NOTHING, &["building the image"]),
    // Its processes and memory.
    subject("child-leaves-the-session", QUICK.of("burner"), DONE, &[]),
    subject("grandchild-leaves-the-session", LOADED.of("leaver"), DONE, &[]),
    subject("grandchild-with-an-empty-environment", LOADED.of("stranger"), DONE, &[]),
    subject("daemonises", QUICK.of("daemon"), &[0, 1], &[]),
    subject("300-children", QUICK.of("crowd"), DONE, &[]),
    subject("image-300-children", HASTY.of("crowd").on(On::Image), FAILED, &["it did not get ready"]),
    subject("image-daemonises", QUICK.of("daemon").on(On::Image), FAILED, &["it ended"]),
    subject("400-mb-of-memory", QUICK.of("memory-400mb"), DONE, &[]),
    subject("image-over-its-memory-limit", QUICK.of("memory-400mb").on(On::Image), FAILED, &["memory limit"]),
];
