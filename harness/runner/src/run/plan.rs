//! What a run is to do: suites, the choice of subjects, the order of each round.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use tare_model::{Arrivals, Group, LoadPlan, Plan, Role, Subject, SweepPlan};

use super::checks::{check_implementations, check_platforms, nothing_left};
pub use super::suites::{SUITES, Scope, Suite};
use crate::platforms::{Entry, NOISE, REFERENCE, Variant, variants};
use crate::workload::{Service, Source, Workload};

/// What the user chose; empty lists mean everything.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Services by name.
    pub services: Vec<String>,
    /// Implementations by name.
    pub implementations: Vec<String>,
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
    /// How requests at a given rate fall in time.
    pub arrivals: Arrivals,
}

/// A subject with what is behind it.
#[derive(Clone, Copy)]
pub struct Chosen<'a> {
    /// The service in an implementation.
    pub workload: Workload<'a>,
    /// What runs it.
    pub variant: &'static dyn Variant,
    /// Whether what takes long is measured of it too: the sweep of rates, and several instances beside each other.
    pub in_depth: bool,
}

impl Chosen<'_> {
    /// The subject's names.
    pub fn subject(&self) -> Subject {
        self.workload.subject(&self.variant.entry().id())
    }
}

/// The subjects of a choice, service by service in the order of the registries.
///
/// # Errors
/// A name that is nowhere, with those that are; or nothing that is left.
pub fn choose<'a>(choice: &Choice, services: &'a [Service]) -> Result<Vec<Chosen<'a>>> {
    let known: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    if let Some(name) = choice.services.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("there is no service `{name}`; there are: {}", known.join(", "));
    }
    check_platforms(&choice.platforms)?;
    let is_wanted = |service: &&Service| choice.services.is_empty() || choice.services.contains(&service.name);
    let wanted: Vec<&Service> = services.iter().filter(is_wanted).collect();
    check_implementations(choice, &wanted)?;
    let typical = wanted.iter().find(|service| service.scenario.typical).or(wanted.first());
    let typical = typical.map(|service| service.name.clone());
    let mut chosen = Vec::new();
    for workload in wanted.iter().flat_map(|service| service.workloads()) {
        let name = &workload.implementation.name;
        if !choice.implementations.is_empty() && !choice.implementations.contains(name) {
            continue;
        }
        for (_, variant) in variants().filter(|(_, it)| it.takes(workload.implementation).is_some()) {
            let entry = variant.entry();
            if choice.takes(entry, typical.as_ref() == Some(&workload.service.name)) {
                chosen.push(Chosen { workload, variant, in_depth: choice.is_in_depth(entry) });
            }
        }
    }
    ensure!(!chosen.is_empty(), "{}", nothing_left(&choice.platforms, &wanted));
    for service in &wanted {
        let is_chosen = chosen.iter().any(|chosen| chosen.workload.service.name == service.name);
        ensure!(is_chosen || !choice.implementations.is_empty(), "{}", nothing_left(&choice.platforms, &[service]));
    }
    // What is named and takes nothing would be missed without a word.
    let idle = |name: &&String| !chosen.iter().any(|chosen| is_named(name, chosen.variant.entry()));
    let idle: Vec<String> = choice.platforms.iter().filter(idle).cloned().collect();
    ensure!(idle.is_empty(), "{}", nothing_left(&idle, &wanted));
    Ok(chosen)
}

/// Whether cargo has to build anything for these subjects: services of the workspace, a Wasm host, or the starter.
pub fn builds(chosen: &[Chosen<'_>]) -> bool {
    chosen.iter().any(|chosen| {
        let Workload { implementation, .. } = chosen.workload;
        let products = chosen.variant.takes(implementation).unwrap_or_default();
        let is_built_in = matches!(implementation.source, Source::Workspace { .. });
        products.iter().any(|product| is_built_in || product.is_shared())
    })
}

impl Choice {
    /// Whether a variant is measured on a service, which may be the one that stands for the others.
    fn takes(&self, entry: &Entry, typical: bool) -> bool {
        if self.platforms.contains(&entry.id().to_string()) {
            return true;
        }
        let named = self.platforms.iter().any(|name| name == entry.platform);
        let all = match self.scope {
            Scope::Headlines => false,
            Scope::Typical => typical,
            Scope::All => true,
        };
        match entry.role {
            Role::Headline => named || self.platforms.is_empty(),
            Role::Noise => named || self.platforms.is_empty() && (typical || self.scope != Scope::Headlines),
            Role::Setting => named || all && self.platforms.is_empty(),
            Role::Control => all && (named || self.platforms.is_empty()),
        }
    }

    fn is_in_depth(&self, entry: &Entry) -> bool {
        let named = self.platforms.contains(&entry.id().to_string()) || !self.only.is_empty();
        named || matches!(entry.role, Role::Headline | Role::Noise) || self.scope == Scope::All
    }
}

/// Whether a platform's or a variant's name is of a variant.
pub fn is_named(name: &str, entry: &Entry) -> bool {
    name == entry.platform || name == entry.id().to_string()
}

/// What the others of each service are compared with: the plain process, of the first implementation that has one; where none
/// has, the first subject.
fn references(subjects: &[Subject]) -> BTreeMap<String, Subject> {
    let mut references: BTreeMap<String, Subject> = BTreeMap::new();
    for subject in subjects {
        let is_plain = |subject: &Subject| subject.variant_id() == REFERENCE.id();
        match references.get(&subject.service) {
            Some(known) if is_plain(known) || !is_plain(subject) => {}
            _ => {
                references.insert(subject.service.clone(), subject.clone());
            }
        }
    }
    references
}

/// Connections of a load: enough that one slow request does not leave a subject idle, few enough for any server.
const CONNECTIONS: usize = 32;
/// The most windows of a warm-up.
const WARMUP_WINDOWS: u32 = 10;
/// By what share of itself the median latency of a window may differ from that of the one before.
const WARMUP_STEADY: f64 = 0.1;
/// Each of what takes long is measured in one of so many rounds: one for each, and one without.
const ROTATION: u32 = 3;
/// Seconds that instances are left alone before their memory is read.
const SETTLE_S: f64 = 0.05;
/// Seconds at least of the loop that finds a capacity: it has no warm-up.
const LEAST_CAPACITY_S: f64 = 0.25;
/// The open loop's rate as a share of the weakest subject's capacity: far from the queue of a full load.
const OPEN_SHARE: f64 = 0.5;
/// Seconds after which an answer counts as missing.
const TIMEOUT_S: f64 = 5.0;

/// How the rates of a sweep are tried.
const SWEEP: SweepPlan = SweepPlan {
    // Three above the 99th percentile.
    requests: 300.0,
    // A queue that grows needs time to show.
    objectives: 3.0,
    longest_s: 2.0,
    // One disturbance must not end a sweep.
    tries: 2,
    late: 0.5,
    far_below: 0.25,
    of_ceiling: 0.8,
};

/// The plan of a run.
pub fn plan(suite: &Suite, choice: &Choice, chosen: &[Chosen<'_>]) -> Plan {
    let subjects: Vec<Subject> = chosen.iter().map(Chosen::subject).collect();
    let objective = |chosen: &Chosen<'_>| {
        (chosen.workload.service.name.clone(), chosen.workload.service.scenario.p99_objective_ms * 1e6)
    };
    Plan {
        suite: suite.name.into(),
        seed: choice.seed,
        rounds: choice.rounds.unwrap_or(suite.rounds),
        precision: suite.precision,
        time_limit_s: suite.time_limit_s,
        only: if choice.only.is_empty() { suite.groups.to_vec() } else { choice.only.clone() },
        reference: references(&subjects),
        subjects,
        noise: NOISE.id(),
        instances: suite.instances.to_vec(),
        in_depth: chosen.iter().filter(|chosen| chosen.in_depth).map(Chosen::subject).collect(),
        rotation: ROTATION,
        settle_s: SETTLE_S,
        starts_s: suite.starts_s,
        load: LoadPlan {
            connections: CONNECTIONS,
            warmup_s: suite.warmup_s,
            warmup_windows: WARMUP_WINDOWS,
            warmup_steady: WARMUP_STEADY,
            open_s: suite.open_s,
            closed_s: suite.closed_s,
            capacity_s: suite.closed_s.max(LEAST_CAPACITY_S),
            sweep_s: suite.sweep_s,
            sweep: SWEEP,
            objective_ns: chosen.iter().map(objective).collect(),
            open_share: OPEN_SHARE,
            arrivals: choice.arrivals,
            timeout_s: TIMEOUT_S,
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
    use crate::workload::{Implementation, Quick, Scenario};

    fn services() -> Vec<Service> {
        let service = |(name, typical): (&str, bool)| Service {
            name: name.into(),
            scenario: Scenario { typical, ..Scenario::default() },
            implementations: vec![Implementation::of("rust", Source::Workspace { folder: name.into() })],
        };
        [("auth", false), ("orders", true)].map(service).into()
    }

    /// A component, an image and a service that runs already.
    fn given() -> Vec<Service> {
        let quick = Quick {
            component: Some("cart.wasm".into()),
            image: Some("cart:dev".into()),
            url: Some("http://127.0.0.1:8080".into()),
            get: "/".into(),
            ..Quick::default()
        };
        vec![quick.service().unwrap()]
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
        let workspace = &services()[0].implementations[0];
        let all = variants().filter(|(_, variant)| variant.takes(workspace).is_some()).count();
        assert_eq!(names(&Choice::default()).len(), 2 * all);
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
            let noise = chosen.iter().filter(|chosen| chosen.variant.entry().role == Role::Noise);
            noise.map(|chosen| (chosen.workload.service.name.as_str(), chosen.in_depth)).collect::<Vec<_>>()
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
    fn what_is_brought_is_measured_on_all_that_takes_it_and_compared_with_the_first_where_there_is_no_plain_process() {
        let services = given();
        let chosen = choose(&Choice { scope: Scope::Headlines, ..Choice::default() }, &services).unwrap();
        let names: Vec<String> = chosen.iter().map(|chosen| chosen.subject().to_string()).collect();
        let given =
            ["wasmtime/aot", "wasmtime/jit", "wasmtime/reuse", "wasmer/aot", "docker/image", "docker/image-bridge"];
        let mut expected: Vec<String> = given.map(|id| format!("cart:given/{id}")).into();
        expected.push("cart:running/running/url".into());
        assert_eq!(names, expected);
        let plan = plan(&SUITES[0], &Choice::default(), &chosen);
        assert_eq!(plan.reference["cart"].to_string(), "cart:given/wasmtime/aot");
    }

    #[test]
    fn what_does_not_go_together_is_told_with_what_does() {
        let services = given();
        let error = |choice: Choice| choose(&choice, &services).err().unwrap().to_string();
        let told = error(Choice { platforms: vec!["docker/scratch".into()], ..Choice::default() });
        assert!(
            told.contains("there is nothing to measure on docker/scratch: cart:given can be measured as wasmtime/aot"),
            "{told}"
        );
        // Nor is it passed over beside something that goes.
        let platforms = vec!["wasmtime".into(), "docker/scratch".into()];
        let told = error(Choice { platforms, ..Choice::default() });
        assert!(told.starts_with("there is nothing to measure on docker/scratch: "), "{told}");
        let told = error(Choice { implementations: vec!["go".into()], ..Choice::default() });
        assert_eq!(told, "there is no implementation `go`; there are: given, running");
        let only = Choice { implementations: vec!["running".into()], ..Choice::default() };
        assert_eq!(choose(&only, &services).unwrap().len(), 1);
    }

    #[test]
    fn the_plain_process_is_what_others_are_compared_with_wherever_it_stands() {
        let subjects = ["a/docker/debian", "a:go/native/process", "a/native/process", "b/docker/debian"];
        let references = references(&subjects.map(|subject| subject.parse().unwrap()));
        let references: Vec<String> = references.values().map(Subject::to_string).collect();
        assert_eq!(references, ["a:go/native/process", "b/docker/debian"]);
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
