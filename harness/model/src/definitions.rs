//! What the names in a run's files mean: platforms, variants and metrics as they were defined when the run was taken. A
//! report reads these, so that it says the same with a later version whose definitions are others.

use serde::{Deserialize, Serialize};

use crate::{Better, Group, METRICS, Metric, Subject, Unit, VariantId};

/// A platform of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformRecord {
    /// Its name.
    pub name: String,
    /// What it is, in one sentence.
    pub summary: String,
    /// The side of the comparison that it is of; `None` for what both sides are compared with.
    pub side: Option<Side>,
    /// Its variants, best case first.
    pub variants: Vec<VariantRecord>,
}

/// A variant of a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantRecord {
    /// Its name.
    pub name: String,
    /// What it is, in one sentence.
    pub summary: String,
    /// What it is measured for.
    pub role: Role,
    /// What a control shows, and what it does not; `None` for all others.
    pub shows: Option<String>,
    /// Whether it is what the defaults of its side give.
    pub is_default: bool,
    /// The variant from which it differs in one thing; `None` where there is none.
    pub baseline: Option<Baseline>,
}

/// A variant that another differs from in one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The variant.
    pub variant: VariantId,
    /// The one thing.
    pub difference: String,
}

/// What is compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// A component on a Wasm runtime.
    Wasm,
    /// A container, whatever starts it.
    Container,
}

/// What a variant is measured for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The best or the default case of its side.
    Headline,
    /// A setting whose worth is of interest.
    Setting,
    /// To check a comparison, not to be chosen.
    Control,
    /// The reference measured once more: what differs between the two is noise.
    Noise,
}

/// A metric of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricRecord {
    /// Its name.
    pub name: String,
    /// The family that it is measured with.
    pub group: Group,
    /// The unit of every value in files.
    pub unit: Unit,
    /// Which direction is an improvement.
    pub better: Better,
    /// The phase that stands for it; `None` where none does.
    pub headline: Option<String>,
    /// What it is, in one sentence.
    pub summary: String,
}

impl From<&Metric> for MetricRecord {
    fn from(metric: &Metric) -> Self {
        let Metric { name, group, unit, better, headline, summary } = *metric;
        Self { name: name.into(), group, unit, better, headline: headline.map(Into::into), summary: summary.into() }
    }
}

/// The metrics as this version defines them.
pub fn metric_records() -> Vec<MetricRecord> {
    METRICS.iter().map(|metric| MetricRecord::from(*metric)).collect()
}

/// The definition of a variant and of the platform that it is of.
pub fn find<'a>(platforms: &'a [PlatformRecord], subject: &Subject) -> Option<(&'a PlatformRecord, &'a VariantRecord)> {
    let platform = platforms.iter().find(|platform| platform.name == subject.platform)?;
    Some((platform, platform.variants.iter().find(|variant| variant.name == subject.variant)?))
}

impl PlatformRecord {
    /// A variant's id.
    pub fn id(&self, variant: &VariantRecord) -> VariantId {
        VariantId::new(&self.name, &variant.name)
    }
}
