//! What others took of the CPUs while something was measured: work of the machine that is neither the subject's nor the
//! harness's makes the one slower that happens to be measured.

use std::ops::AddAssign;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use super::affinity::Cpus;
use super::clock::monotonic_ns;

/// The share of a set of CPUs that others may take before a figure is one of a disturbed machine.
pub const OTHERS_LIMIT: f64 = 0.1;

/// The unit in which the kernel tells the time of CPUs, in nanoseconds: hundredths of a second, whatever its own clock.
const TICK_NS: u64 = 10_000_000;

/// The accounts of the CPUs that a run uses.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the unit of all of them")]
pub struct Accounts {
    at_ns: u64,
    /// In which the subjects' CPUs worked for anybody, in nanoseconds.
    subject_ns: u64,
    /// The same of the generator's.
    generator_ns: u64,
    /// The CPU time of this process.
    own_ns: u64,
}

/// What others took of the CPUs in a time, and what there was to take; in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Others {
    /// What they took.
    pub taken_ns: u64,
    /// What all CPUs of the set had.
    pub all_ns: u64,
}

impl Others {
    /// Their share, from 0 to 1.
    pub fn share(self) -> f64 {
        self.taken_ns as f64 / self.all_ns.max(1) as f64
    }

    /// Whether they took too much, for certain. The kernel looks at each tick what a CPU does, so that the number of ticks
    /// scatters like one of heads: by half its root at most; three times that, and a tick, is no chance.
    pub fn are_too_many(self) -> bool {
        let ticks = self.all_ns as f64 / TICK_NS as f64;
        let chance = (1.5 * ticks.sqrt() + 1.0) * TICK_NS as f64;
        self.share() > OTHERS_LIMIT && self.taken_ns as f64 > chance
    }
}

impl AddAssign for Others {
    fn add_assign(&mut self, more: Self) {
        self.taken_ns += more.taken_ns;
        self.all_ns += more.all_ns;
    }
}

impl Accounts {
    /// The accounts now; `None` where the kernel does not tell.
    pub fn now(cpus: &Cpus) -> Option<Self> {
        let stat = fs_err::read_to_string("/proc/stat").ok()?;
        let busy = |cpus: &[usize]| {
            let ticks = cpus.iter().map(|cpu| busy_ticks(&stat, *cpu)).sum::<Option<u64>>();
            ticks.map(|ticks| ticks * TICK_NS)
        };
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
        let own_ns = (usage.user_time() + usage.system_time()).num_nanoseconds();
        Some(Self {
            at_ns: monotonic_ns(),
            subject_ns: busy(&cpus.subject)?,
            generator_ns: busy(&cpus.generator)?,
            own_ns: u64::try_from(own_ns).ok()?,
        })
    }

    /// What others took since `earlier` of that set of CPUs of which they took more, given the CPU time that the subject took,
    /// in nanoseconds.
    pub fn others(self, earlier: Self, subject_ns: u64, cpus: &Cpus) -> Others {
        let elapsed = self.at_ns.saturating_sub(earlier.at_ns);
        let of = |busy: u64, known: u64, cpus: &[usize]| Others {
            taken_ns: busy.saturating_sub(known),
            all_ns: elapsed * cpus.len() as u64,
        };
        let subject = self.subject_ns.saturating_sub(earlier.subject_ns);
        let generator = self.generator_ns.saturating_sub(earlier.generator_ns);
        let own = self.own_ns.saturating_sub(earlier.own_ns);
        if !cpus.are_separate() {
            return of(subject, subject_ns + own, &cpus.subject);
        }
        let [subject, generator] = [of(subject, subject_ns, &cpus.subject), of(generator, own, &cpus.generator)];
        if subject.share() >= generator.share() { subject } else { generator }
    }
}

/// User, nice and system time of a CPU. What interrupts take is nobody's.
fn busy_ticks(stat: &str, cpu: usize) -> Option<u64> {
    let name = format!("cpu{cpu} ");
    let ticks = stat.lines().find_map(|line| line.strip_prefix(&name))?.split_whitespace().take(3);
    ticks.map(|ticks| ticks.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const S: u64 = 1000 * MS;

    #[test]
    fn the_work_of_others_is_what_neither_the_subject_nor_the_harness_did() {
        let cpus = Cpus { generator: vec![1], subject: vec![0] };
        let then = Accounts { at_ns: 5, subject_ns: S, generator_ns: 2 * S, own_ns: 3 * S };
        let now = |subject_ns, generator_ns, own_ns| Accounts {
            at_ns: then.at_ns + S,
            subject_ns: then.subject_ns + subject_ns,
            generator_ns: then.generator_ns + generator_ns,
            own_ns: then.own_ns + own_ns,
        };
        let taken = |accounts: Accounts, subject_ns, cpus: &Cpus| accounts.others(then, subject_ns, cpus).taken_ns;
        assert_eq!(taken(now(S, S, S), S, &cpus), 0);
        assert_eq!(taken(now(S, S, S), S / 2, &cpus), S / 2, "a busy loop beside the subject");
        assert_eq!(taken(now(S, S, S / 4), S, &cpus), S - S / 4, "the same beside the generator");
        assert_eq!(taken(now(S / 2, S, S), S, &cpus), 0, "ticks are coarse");
        let one = Cpus { generator: vec![0], subject: vec![0] };
        assert_eq!(taken(now(S, S, S / 2), S / 4, &one), S / 4);
    }

    #[test]
    fn only_what_ticks_can_tell_is_too_much() {
        let are_too_many = |taken_ns, all_ns| Others { taken_ns, all_ns }.are_too_many();
        assert!(are_too_many(500 * MS, S) && are_too_many(200 * MS, 1500 * MS));
        assert!(!are_too_many(40 * MS, 120 * MS), "four ticks of twelve may be chance");
        assert!(!are_too_many(90 * MS, S) && !are_too_many(0, 0));
        let mut many = Others::default();
        (0..20).for_each(|_| many += Others { taken_ns: 40 * MS, all_ns: 120 * MS });
        assert!(many.are_too_many(), "and are none in twenty loads");
    }

    #[test]
    fn the_time_of_a_cpu_is_what_it_worked() {
        let stat = "cpu  9 9 9 9\ncpu0 1 2 3 100 5 6 7 8\ncpu10 10 20 30 100\n";
        assert_eq!(busy_ticks(stat, 0), Some(6));
        assert_eq!(busy_ticks(stat, 10), Some(60));
        assert_eq!(busy_ticks(stat, 1), None);
        assert!(Accounts::now(&Cpus::detect().unwrap()).is_some());
    }
}
