//! The suites: named amounts of measuring.

use tare_model::Group;

/// A named amount of measuring.
#[derive(Debug, PartialEq)]
pub struct Suite {
    /// Its name on the command line.
    pub name: &'static str,
    /// One sentence for `list`.
    pub summary: &'static str,
    /// Which variants belong to it where none are named.
    pub scope: Scope,
    /// Which families of metrics belong to it where none are named.
    pub groups: &'static [Group],
    /// Each headline figure is measured again until its 95 % interval lies within this share of its median...
    pub precision: f64,
    /// ...or this time is spent: seconds, counted from after the build, after which no further round begins...
    pub time_limit_s: f64,
    /// ...or it was measured in so many rounds.
    pub rounds: u32,
    /// Seconds that the further starts of a subject may take in a round.
    pub starts_s: f64,
    /// Seconds of a window of warm-up.
    pub warmup_s: f64,
    /// Seconds of the open loop.
    pub open_s: f64,
    /// Seconds of the closed loop.
    pub closed_s: f64,
    /// Seconds at least of each rate of the sweep; 0 for no sweep.
    pub sweep_s: f64,
    /// The numbers of instances whose memory is measured beside each other.
    pub instances: &'static [u32],
}

/// Which variants belong to a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The best and the usual case of each side, and on the service that stands for the others the noise.
    Headlines,
    /// The same with the noise on all services, and on the one that stands for the others all variants.
    Typical,
    /// All.
    #[default]
    All,
}

/// Every suite, shortest first.
pub const SUITES: &[Suite] = &[
    Suite {
        name: "quick",
        summary: "a first look at the best and the usual case of each side, within 3 minutes after the build",
        scope: Scope::Headlines,
        groups: &[Group::Size, Group::Startup, Group::Memory, Group::Load],
        precision: 0.1,
        time_limit_s: 176.0,
        rounds: 20,
        starts_s: 0.1,
        warmup_s: 0.02,
        open_s: 0.12,
        closed_s: 0.12,
        sweep_s: 0.0,
        instances: &[1, 2, 4],
    },
    Suite {
        name: "standard",
        summary: "what a decision should rest on: settings and controls on one service, within 12 minutes after the build",
        scope: Scope::Typical,
        groups: Group::ALL,
        precision: 0.05,
        time_limit_s: 680.0,
        rounds: 40,
        starts_s: 0.2,
        warmup_s: 0.05,
        open_s: 0.4,
        closed_s: 0.3,
        sweep_s: 0.2,
        instances: &[1, 2, 4],
    },
    Suite {
        name: "full",
        summary: "for publication: all variants on all services, within 45 minutes after the build",
        scope: Scope::All,
        groups: Group::ALL,
        precision: 0.02,
        time_limit_s: 2500.0,
        rounds: 100,
        starts_s: 0.4,
        warmup_s: 0.15,
        open_s: 1.5,
        closed_s: 1.0,
        sweep_s: 0.5,
        instances: &[1, 2, 4, 8],
    },
];
