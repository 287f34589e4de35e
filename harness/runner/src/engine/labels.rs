//! The labels on what a run makes in the engine, by which a later run knows what is left of a dead one.

use std::collections::BTreeMap;

use crate::sys::owner::{self, Owner};

/// The run's name, on its containers and on the images that it built.
pub(super) const RUN: &str = "tare.run";
/// The process that owns a container. Not on images: containers take over the labels of their image, and one that
/// somebody starts from it by hand is not ours to remove.
pub(super) const OWNER: &str = "tare.owner";
/// The kind of an image. The Dockerfiles set it in their first step, so that half-built images have it as well.
pub(super) const KIND: &str = "tare.kind";
/// SHA-256 of everything an image was made of.
pub(super) const DIGEST: &str = "tare.digest";

/// The run that containers are started for, and the process that will remove them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOwner {
    /// The run's name.
    pub run: String,
    /// The process.
    pub process: Owner,
}

impl RunOwner {
    /// This process, for the run with this name.
    pub fn this_process(run: &str) -> Self {
        Self { run: run.into(), process: owner::me() }
    }

    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        [(RUN, self.run.clone()), (OWNER, self.process.to_string())]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// The owner that labels name; `None` where they name none.
    pub(super) fn from_labels(labels: &std::collections::HashMap<String, String>) -> Option<Self> {
        Some(Self { run: labels.get(RUN)?.clone(), process: labels.get(OWNER)?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_round_trips() {
        let owner = RunOwner::this_process("r1");
        let labels = owner.labels().into_iter().collect();
        assert_eq!(RunOwner::from_labels(&labels), Some(owner));
    }
}
