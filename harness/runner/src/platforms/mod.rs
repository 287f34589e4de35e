//! The platforms, one file each, and their registry. To add one: a file here and a line in [`PLATFORMS`].

mod context;
mod docker;
mod end;
mod isolation;
mod leftovers;
mod native;
mod oci;
mod private;
mod process;
mod replicas;
mod running;
mod startup;
mod target;
mod wasm;
mod wasmer;
mod wasmtime;

use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;
use tare_model::{PlatformRecord, Role, Side, VariantId, VariantRecord};

pub use self::context::{Notes, RunContext};
pub use self::docker::NAME as DOCKER;
pub use self::end::{Cause, End};
pub use self::isolation::Isolation;
pub use self::leftovers::remove as remove_leftovers;
pub use self::private::folder as private_files;
pub use self::replicas::Replicas;
use self::replicas::Separate;
pub use self::startup::Startup;
use self::target::Common;
pub use self::target::{Deployed, Instance, Launched, Processes, Target};

use crate::artifacts::Product;
use crate::sys::finding::Finding;
use crate::workload::{Implementation, Layout, MEMORY_LIMIT, Workload};

/// Every platform, in the order in which reports show them.
pub const PLATFORMS: &[&dyn Platform] =
    &[&native::Native, &wasmtime::Wasmtime, &wasmer::Wasmer, &docker::Docker, &oci::Oci, &running::Running];

/// What the others of its service are compared with, where it is measured.
pub const REFERENCE: &Entry = &native::PROCESS;

/// The same, measured once more in each round: the ratio of the two is the noise of the run.
pub const NOISE: &Entry = &native::AGAIN;

/// The most processes and threads of a container.
pub(crate) const PIDS_LIMIT: u32 = 256;

/// What every variant says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its platform's name.
    pub platform: &'static str,
    /// Its name in files and on the command line.
    pub name: &'static str,
    /// One sentence for `list`.
    pub summary: &'static str,
    /// What it is measured for.
    pub role: Role,
    /// What a control shows, and what it does not; `None` for all others.
    pub shows: Option<&'static str>,
    /// Whether it is what the defaults of its side give.
    pub is_default: bool,
    /// The variant from which it differs in one thing; `None` where there is none.
    pub baseline: Option<Baseline>,
}

/// A variant that another differs from in one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Baseline {
    /// The platform and the variant.
    pub of: (&'static str, &'static str),
    /// The one thing.
    pub difference: &'static str,
}

impl Entry {
    /// A headline variant; the rest is said by the other functions.
    const fn new(platform: &'static str, name: &'static str, summary: &'static str) -> Self {
        Self { platform, name, summary, role: Role::Headline, shows: None, is_default: false, baseline: None }
    }

    /// It is measured for what a setting is worth.
    const fn setting(self) -> Self {
        Self { role: Role::Setting, ..self }
    }

    /// It checks a comparison.
    const fn control(self, shows: &'static str) -> Self {
        Self { role: Role::Control, shows: Some(shows), ..self }
    }

    /// It is what the defaults of its side give.
    const fn default_of_its_side(self) -> Self {
        Self { is_default: true, ..self }
    }

    /// It differs from another in one thing.
    const fn differs(self, platform: &'static str, variant: &'static str, difference: &'static str) -> Self {
        Self { baseline: Some(Baseline { of: (platform, variant), difference }), ..self }
    }

    /// The platform and the variant.
    pub fn id(&self) -> VariantId {
        VariantId::new(self.platform, self.name)
    }
}

/// A stated setting of a platform: its data and what it does.
#[async_trait(?Send)]
pub trait Variant: Sync {
    /// What it says of itself.
    fn entry(&self) -> &Entry;

    /// The artifacts of an implementation that it is launched from; `None` where it cannot be launched from what is there, or
    /// not grant what that needs.
    fn takes(&self, implementation: &Implementation) -> Option<Vec<Product>>;

    /// What it keeps a service from.
    fn isolation(&self) -> Isolation;

    /// Makes a subject ready to be launched any number of times: what cargo does not build is built here.
    async fn prepare(&self, context: &Rc<RunContext>, workload: Workload<'_>) -> Result<Box<dyn Target>>;
}

/// What runs a service.
#[async_trait(?Send)]
pub trait Platform: Sync {
    /// Its name in files and on the command line.
    fn name(&self) -> &'static str;

    /// One sentence for `list`.
    fn summary(&self) -> &'static str;

    /// The side of the comparison that it is of; `None` for what both are compared with.
    fn side(&self) -> Option<Side> {
        None
    }

    /// Its variants, best case first.
    fn variants(&self) -> &'static [&'static dyn Variant];

    /// What the platform needs of the machine, and whether it is there.
    async fn preflight(&self, _layout: &Layout) -> Vec<Finding> {
        Vec::new()
    }
}

/// Every variant with its platform.
pub fn variants() -> impl Iterator<Item = (&'static dyn Platform, &'static dyn Variant)> {
    PLATFORMS.iter().flat_map(|platform| platform.variants().iter().map(|variant| (*platform, *variant)))
}

/// What the names of platforms and variants mean, for the record of a run.
pub fn definitions() -> Vec<PlatformRecord> {
    let variant = |variant: &&dyn Variant| {
        let Entry { name, summary, role, shows, is_default, baseline, .. } = *variant.entry();
        let baseline = baseline.map(|Baseline { of: (platform, variant), difference }| tare_model::Baseline {
            variant: VariantId::new(platform, variant),
            difference: difference.into(),
        });
        VariantRecord {
            name: name.into(),
            summary: summary.into(),
            role,
            shows: shows.map(Into::into),
            is_default,
            baseline,
        }
    };
    let platform = |platform: &&dyn Platform| PlatformRecord {
        name: platform.name().into(),
        summary: platform.summary().into(),
        side: platform.side(),
        variants: platform.variants().iter().map(variant).collect(),
    };
    PLATFORMS.iter().map(platform).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Source;

    #[test]
    fn names_of_platforms_and_variants_are_unique_and_baselines_are_known() {
        let ids: Vec<VariantId> = variants().map(|(_, variant)| variant.entry().id()).collect();
        assert!(ids.contains(&REFERENCE.id()) && ids.contains(&NOISE.id()));
        assert!(ids.iter().all(|id| ids.iter().filter(|other| *other == id).count() == 1));
        for (platform, variant) in variants() {
            let entry = variant.entry();
            assert_eq!(entry.platform, platform.name());
            assert_eq!(entry.role == Role::Control, entry.shows.is_some(), "{}", entry.id());
            let known =
                entry.baseline.is_none_or(|baseline| ids.contains(&VariantId::new(baseline.of.0, baseline.of.1)));
            assert!(known, "{}", entry.id());
        }
    }

    #[test]
    fn both_sides_have_a_default_for_what_the_workspace_builds_and_for_what_is_brought() {
        let workspace = Source::Workspace { folder: "orders".into() };
        let given = crate::workload::Given {
            component: Some(crate::workload::GivenComponent { file: "a.wasm".into(), build: None }),
            image: Some(crate::workload::GivenImage {
                source: crate::workload::ImageSource::Reference("a".into()),
                args: Vec::new(),
                build: None,
            }),
            ..crate::workload::Given::default()
        };
        for source in [workspace, Source::Given(Box::new(given))] {
            let implementation = Implementation::of("any", source);
            for side in [Side::Wasm, Side::Container] {
                let of_side = variants().filter(|(platform, _)| platform.side() == Some(side));
                let defaults = of_side.filter(|(_, it)| it.entry().is_default && it.takes(&implementation).is_some());
                assert_eq!(defaults.count(), 1, "{side:?} {implementation:?}");
            }
        }
    }
}
