//! What a run is to do: suites, the choice of subjects, the order of each round.

use anyhow::{Result, bail, ensure};
use tare_model::{Group, LadderPlan, LoadPlan, Plan, Subject};

use crate::layout::Service;
use crate::platforms::{NOISE, PLATFORMS, Platform, REFERENCE, Role, Variant};

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
    /// Seconds of a window of warm-up.
    pub warmup_s: f64,
    /// Seconds of the open loop.
    pub open_s: f64,
    /// Seconds of the closed loop.
    pub closed_s: f64,
    /// Seconds at least of each rate of the ladder; 0 for no ladder.
    pub ladder_s: f64,
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
        warmup_s: 0.02,
        open_s: 0.12,
        closed_s: 0.12,
        ladder_s: 0.0,
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
        warmup_s: 0.05,
        open_s: 0.4,
        closed_s: 0.3,
        ladder_s: 0.2,
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
        warmup_s: 0.15,
        open_s: 1.5,
        closed_s: 1.0,
        ladder_s: 0.5,
        instances: &[1, 2, 4, 8],
    },
];

/// What the user chose; empty lists mean everything.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Services by name.
    pub services: Vec<String>,
    /// Platforms by name, or variants as `platform/variant`.
    pub platforms: Vec<String>,
    /// Which variants are chosen where none are named.
    pub scope: Scope,
    /// Families of metrics.
    pub only: Vec<Group>,
    /// The seed of everything drawn.
    pub seed: u64,
    /// The most rounds, instead of the suite's.
    pub rounds: Option<u32>,
}

/// A subject with the registry entries behind it.
#[derive(Clone, Copy)]
pub struct Chosen<'a> {
    /// The service.
    pub service: &'a Service,
    /// What runs it.
    pub platform: &'static dyn Platform,
    /// In which setting.
    pub variant: &'static Variant,
    /// Whether what takes long is measured of it too: the ladder of rates, and several instances beside each other.
    pub in_depth: bool,
}

impl Chosen<'_> {
    /// The subject's three names.
    pub fn subject(&self) -> Subject {
        Subject::new(&self.service.name, self.platform.name(), self.variant.name)
    }
}

/// The subjects of a choice, service by service in the order of the registries.
///
/// # Errors
/// A name that is in no registry, with those that are.
pub fn choose<'a>(choice: &Choice, services: &'a [Service]) -> Result<Vec<Chosen<'a>>> {
    let known: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    if let Some(name) = choice.services.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("there is no service `{name}`; there are: {}", known.join(", "));
    }
    for name in &choice.platforms {
        ensure!(
            settings().any(|(platform, variant)| fits(name, platform, variant)),
            "there is no platform or variant `{name}`; there are: {}",
            settings().map(|(platform, variant)| platform.setting(variant)).collect::<Vec<_>>().join(", ")
        );
    }
    let wanted = |service: &&Service| choice.services.is_empty() || choice.services.contains(&service.name);
    let typical = services.iter().filter(wanted).find(|service| service.scenario.typical);
    let typical = typical.or_else(|| services.iter().find(wanted)).map(|service| &service.name);
    let mut chosen = Vec::new();
    for service in services.iter().filter(wanted) {
        for (platform, variant) in settings() {
            if choice.takes(platform, variant, typical == Some(&service.name)) {
                let in_depth = choice.is_in_depth(platform, variant);
                chosen.push(Chosen { service, platform, variant, in_depth });
            }
        }
    }
    Ok(chosen)
}

impl Choice {
    /// Whether a variant is measured on a service, which may be the one that stands for the others.
    fn takes(&self, platform: &dyn Platform, variant: &Variant, typical: bool) -> bool {
        if self.platforms.contains(&platform.setting(variant)) {
            return true;
        }
        let named = self.platforms.iter().any(|name| name == platform.name());
        let all = match self.scope {
            Scope::Headlines => false,
            Scope::Typical => typical,
            Scope::All => true,
        };
        match variant.role {
            Role::Headline => named || self.platforms.is_empty(),
            Role::Noise => named || self.platforms.is_empty() && (typical || self.scope != Scope::Headlines),
            Role::Setting => named || all && self.platforms.is_empty(),
            Role::Control(_) => all && (named || self.platforms.is_empty()),
        }
    }

    fn is_in_depth(&self, platform: &dyn Platform, variant: &Variant) -> bool {
        let named = self.platforms.contains(&platform.setting(variant)) || !self.only.is_empty();
        named || matches!(variant.role, Role::Headline | Role::Noise) || self.scope == Scope::All
    }
}

fn settings() -> impl Iterator<Item = (&'static dyn Platform, &'static Variant)> {
    PLATFORMS.iter().flat_map(|platform| platform.variants().iter().map(|variant| (*platform, variant)))
}

fn fits(name: &str, platform: &dyn Platform, variant: &Variant) -> bool {
    name == platform.name() || name == platform.setting(variant)
}

/// The plan of a run.
pub fn plan(suite: &Suite, choice: &Choice, subjects: &[Chosen<'_>]) -> Plan {
    let rounds = choice.rounds.unwrap_or(suite.rounds);
    Plan {
        suite: suite.name.into(),
        seed: choice.seed,
        rounds,
        precision: suite.precision,
        time_limit_s: suite.time_limit_s,
        only: if choice.only.is_empty() { suite.groups.to_vec() } else { choice.only.clone() },
        subjects: subjects.iter().map(Chosen::subject).collect(),
        reference: format!("{}/{}", REFERENCE.0, REFERENCE.1),
        noise: format!("{}/{}", NOISE.0, NOISE.1),
        instances: suite.instances.to_vec(),
        in_depth: subjects.iter().filter(|chosen| chosen.in_depth).map(Chosen::subject).collect(),
        turns: 3,
        settle_s: 0.05,
        load: LoadPlan {
            connections: 32,
            warmup_s: suite.warmup_s,
            warmup_windows: 10,
            warmup_steady: 0.1,
            open_s: suite.open_s,
            closed_s: suite.closed_s,
            // It has no warm-up.
            capacity_s: suite.closed_s.max(0.25),
            ladder_s: suite.ladder_s,
            ladder: LadderPlan {
                // Three above the 99th percentile.
                requests: 300.0,
                objectives: 3.0,
                longest_s: 2.0,
                tries: 2,
                late: 0.5,
                far_below: 0.25,
                of_ceiling: 0.8,
            },
            objective_ns: subjects
                .iter()
                .map(|chosen| (chosen.service.name.clone(), chosen.service.scenario.p99_objective_ms * 1e6))
                .collect(),
            open_share: 0.5,
            timeout_s: 5.0,
        },
    }
}

/// The order of a round: a permutation of the subjects' indices, drawn from the seed and the round.
pub fn order(subjects: usize, seed: u64, round: u32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..subjects).collect();
    // Distinct streams for distinct rounds: the generator mixes its seed, so neighbours are unrelated.
    fastrand::Rng::with_seed(seed ^ (u64::from(round) << 32)).shuffle(&mut order);
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    fn services() -> Vec<Service> {
        let scenario = |typical| Scenario {
            summary: String::new(),
            p99_objective_ms: 10.0,
            typical,
            env: [].into(),
            steps: Vec::new(),
        };
        [("auth", false), ("orders", true)]
            .map(|(name, typical)| Service { name: name.into(), scenario: scenario(typical) })
            .into()
    }

    fn names(choice: &Choice) -> Vec<String> {
        choose(choice, &services()).unwrap().iter().map(|chosen| chosen.subject().to_string()).collect()
    }

    #[test]
    fn a_platform_or_a_single_variant_can_be_chosen() {
        let choice = Choice {
            services: vec!["orders".into()],
            platforms: vec!["native/process".into(), "docker/scratch".into()],
            ..Choice::default()
        };
        assert_eq!(names(&choice), ["orders/native/process", "orders/docker/scratch"]);
        assert_eq!(names(&Choice::default()).len(), 2 * settings().count());
    }

    #[test]
    fn a_narrow_scope_leaves_out_settings_and_controls_unless_they_are_named() {
        let of = |platforms: &[&str], scope| {
            let platforms = platforms.iter().map(|name| (*name).to_owned()).collect();
            names(&Choice { services: vec!["auth".into()], platforms, scope, ..Choice::default() })
        };
        let (setting, control) = ("auth/wasmtime/stock".to_owned(), "auth/wasmtime/direct".to_owned());
        let headlines = of(&[], Scope::Headlines);
        assert!(headlines.contains(&"auth/docker/debian".to_owned()));
        assert!(!headlines.contains(&setting) && !headlines.contains(&control));
        let named = of(&["wasmtime"], Scope::Headlines);
        assert!(named.contains(&setting) && !named.contains(&control));
        assert!(of(&[], Scope::All).contains(&control) && of(&["wasmtime"], Scope::All).contains(&control));
        assert_eq!(of(&["wasmtime/direct"], Scope::Headlines), [control]);
    }

    #[test]
    fn settings_and_controls_may_be_measured_on_the_typical_service_only() {
        let of = |services: &[&str]| {
            let services = services.iter().map(|name| (*name).to_owned()).collect();
            names(&Choice { services, scope: Scope::Typical, ..Choice::default() })
        };
        let both = of(&[]);
        let has = |name: &str| both.contains(&name.to_owned());
        assert!(has("auth/docker/debian") && has("orders/wasmtime/stock") && has("orders/wasmtime/direct"));
        assert!(!has("auth/wasmtime/stock") && !has("auth/wasmtime/direct"));
        assert!(of(&["auth"]).contains(&"auth/wasmtime/stock".to_owned()), "the only one stands for itself");
    }

    #[test]
    fn the_noise_is_measured_in_depth_and_by_the_narrowest_scope_on_the_typical_service_only() {
        let services = services();
        let of = |scope| {
            let chosen = choose(&Choice { scope, ..Choice::default() }, &services).unwrap();
            let noise = chosen.iter().filter(|chosen| chosen.variant.role == Role::Noise);
            noise.map(|chosen| (chosen.service.name.as_str(), chosen.in_depth)).collect::<Vec<_>>()
        };
        assert_eq!(of(Scope::Headlines), [("orders", true)]);
        assert_eq!(of(Scope::Typical), [("auth", true), ("orders", true)]);
    }

    #[test]
    fn an_unknown_name_is_told_with_the_known_ones() {
        let services = services();
        let choice = Choice { services: vec!["billing".into()], ..Choice::default() };
        let error = choose(&choice, &services).err().unwrap().to_string();
        assert_eq!(error, "there is no service `billing`; there are: auth, orders");
        let choice = Choice { platforms: vec!["docker/alpine".into()], ..Choice::default() };
        let error = choose(&choice, &services).err().unwrap().to_string();
        assert!(error.contains("`docker/alpine`; there are: native/process, native/again, wasmtime/aot"), "{error}");
    }

    #[test]
    fn the_order_is_a_permutation_that_the_seed_decides() {
        let mut first = order(24, 7, 1);
        assert_eq!(first, order(24, 7, 1));
        assert_ne!(first, order(24, 7, 2));
        assert_ne!(first, order(24, 8, 1));
        first.sort_unstable();
        assert_eq!(first, (0..24).collect::<Vec<_>>());
    }
}
