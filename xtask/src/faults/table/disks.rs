//! A disk that takes no more, at one size after another, or nothing at all.

use super::super::fault::{Compare, Deed, Fault, Folder, Given, Kind, Sign, Step, Task};
use super::signals::step;

const LOADED: Compare = Compare { rounds: 3, only: "size,startup,load", ..Compare::QUICK };

/// A folder on such a disk.
const fn disk(name: &'static str, given: Given, exits: &'static [i32], says: &'static [&'static str]) -> Fault {
    Fault { name, kind: Kind::Disk, task: Task::Compare(LOADED), given, steps: &[], exits, says }
}

const FULL: &[&str] = &["No space left"];
const READ_ONLY: &[&str] = &["Read-only file system"];

/// All of them.
pub const FAULTS: &[Fault] = &[
    disk("results-on-4k", Given::Room(Folder::Results, 4), &[2], FULL),
    disk("results-on-8k", Given::Room(Folder::Results, 8), &[2], FULL),
    disk("results-on-16k", Given::Room(Folder::Results, 16), &[2], FULL),
    disk("results-on-32k", Given::Room(Folder::Results, 32), &[2], FULL),
    disk("results-on-48k", Given::Room(Folder::Results, 48), &[0, 2], &[]),
    disk("results-on-64k", Given::Room(Folder::Results, 64), &[0, 2], &[]),
    disk("results-read-only", Given::ReadOnly(Folder::Results), &[2], READ_ONLY),
    disk("reports-on-4k", Given::Room(Folder::Reports, 4), &[2], FULL),
    disk("reports-on-64k", Given::Room(Folder::Reports, 64), &[2], FULL),
    disk("reports-on-160k", Given::Room(Folder::Reports, 160), &[0, 2], &[]),
    disk("reports-read-only", Given::ReadOnly(Folder::Reports), &[2], READ_ONLY),
    disk("work-on-4k", Given::Room(Folder::Work, 4), &[0, 1, 2], &[]),
    disk("work-read-only", Given::ReadOnly(Folder::Work), &[2], READ_ONLY),
    disk("tmpdir-on-4k", Given::Room(Folder::Temporary, 4), &[0], &[]),
    disk("tmpdir-read-only", Given::ReadOnly(Folder::Temporary), &[2], READ_ONLY),
    disk("stdout-takes-nothing", Given::FullOutput, &[2], FULL),
    disk("stderr-takes-nothing", Given::FullErrors, &[0], &[]),
    disk("stdout-is-not-read", Given::ClosedOutput, &[0], &[]),
    disk("16-open-files", Given::FewFiles(16), &[1, 2], &["open files"]),
    disk("48-open-files", Given::FewFiles(48), &[0, 1, 2], &[]),
    Fault {
        steps: &[step!(&[Sign::Said("round 2: ")], 0, Deed::RemoveRun)],
        ..disk("run-removed", Given::Usual, &[2], &["No such file or directory"])
    },
    Fault { task: Task::Report, ..disk("report-on-64k", Given::Room(Folder::Reports, 64), &[2], FULL) },
    Fault {
        task: Task::Compare(Compare::QUICK.of("stderr-200mb")),
        ..disk("200-mb-on-stderr-on-1m", Given::Room(Folder::Work, 1024), &[0, 1], &[])
    },
];
