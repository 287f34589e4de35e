//! The table of faults. Nothing else names them.

mod disks;
mod engines;
mod files;
mod signals;
mod subjects;

use super::fault::Fault;

/// All faults, of each kind some.
pub const FAULTS: &[&[Fault]] =
    &[signals::IN_PHASES, signals::OTHERS, subjects::FAULTS, engines::FAULTS, disks::FAULTS, files::FAULTS];

/// Into how many parts they are divided, each of which has some of each kind.
pub const PARTS: usize = 4;

/// All of them in the order of the table.
pub fn faults() -> impl Iterator<Item = &'static Fault> {
    FAULTS.iter().copied().flatten()
}

/// Those of a part, which is counted from 1.
pub fn part(part: usize) -> impl Iterator<Item = &'static Fault> {
    faults().skip(part - 1).step_by(PARTS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::faults::fault::{Deed, Kind};

    #[test]
    fn there_are_many_and_each_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = faults().map(|fault| fault.name).collect();
        assert_eq!(names.len(), faults().count());
        assert!(names.len() >= 60, "{}", names.len());
        let is_plain = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
        assert!(names.iter().all(|name| name.chars().all(is_plain)), "names are names of folders, too");
    }

    #[test]
    fn each_part_has_each_kind_and_all_parts_are_the_whole() {
        let kinds: BTreeSet<Kind> = faults().map(|fault| fault.kind).collect();
        assert_eq!(kinds.len(), 5);
        for number in 1..=PARTS {
            assert_eq!(part(number).map(|fault| fault.kind).collect::<BTreeSet<_>>(), kinds, "part {number}");
        }
        let names: BTreeSet<&str> = (1..=PARTS).flat_map(part).map(|fault| fault.name).collect();
        assert_eq!(names.len(), faults().count());
    }

    #[test]
    fn each_says_what_must_come_out_and_who_breaks_the_engine_brings_it_back() {
        for fault in faults() {
            assert!(!fault.exits.is_empty(), "{}", fault.name);
            assert!(
                !fault.exits.iter().any(|exit| [101, 134, 139].contains(exit)),
                "{}: no crash is right",
                fault.name
            );
        }
        assert!(faults().any(|fault| fault.steps.iter().any(|step| step.deed == Deed::RepairEngine)));
    }
}
