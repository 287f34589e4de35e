//! Removing what runs leave in the engine.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListImagesOptionsBuilder};

use super::labels::{KIND, OWNER, RUN};
use super::{Engine, RunOwner};
use crate::sys::owner::{Life, me};

/// How old a step of a build must be before it counts as given up. The steps of our Dockerfiles take seconds.
const BUILD_LIMIT: Duration = Duration::from_mins(10);

impl Engine {
    /// Removes the containers whose owner has died; and what builds that were cut short leave, half-done steps and nameless
    /// images. Containers of living runs stay, those whose owner cannot be seen from here too, and so do those that somebody
    /// started from an image of ours.
    pub async fn sweep_dead(&self) -> Result<Swept> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (mut left, mut unknown) = (Vec::new(), Vec::new());
        for container in self.list(OWNER).await? {
            match labels(&container).map(|owner| fate(&owner, &container)) {
                Some(Life::Dead) => left.push(container),
                Some(Life::Unknown) => unknown.push(name(&container)),
                Some(Life::Alive) | None => {}
            }
        }
        let mut steps = self.list(KIND).await?;
        steps.retain(|container| is_abandoned_step(container, now));
        let removed = self.remove_all(left.into_iter().chain(steps)).await?;
        self.sweep_images(now).await?;
        Ok(Swept { removed, unknown })
    }

    /// The names of the containers that run on this engine and are not of this process.
    ///
    /// # Errors
    /// The engine refuses to list them.
    pub async fn others(&self) -> Result<Vec<String>> {
        let running = self.docker.list_containers(None).await.context("listing containers")?;
        let is_other = |container: &&ContainerSummary| labels(container).is_none_or(|owner| owner.process != me());
        Ok(running.iter().filter(is_other).map(name).collect())
    }

    /// Removes nameless images of ours that no build can still be working on.
    async fn sweep_images(&self, now: Duration) -> Result<()> {
        let filters = HashMap::from([("label", vec![KIND]), ("dangling", vec!["true"])]);
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let images = self.docker.list_images(Some(options)).await.context("listing images")?;
        for image in images.into_iter().filter(|image| is_old(Some(image.created), now)) {
            self.remove_image(&image.id).await?;
        }
        Ok(())
    }

    /// Removes every container of a run of this process, tells their names: for the end of a run that was cut short.
    pub async fn remove_run(&self, owner: &RunOwner) -> Result<Vec<String>> {
        let mut own = self.list(&format!("{RUN}={}", owner.run)).await?;
        own.retain(|container| labels(container).as_ref() == Some(owner));
        self.remove_all(own.into_iter()).await
    }

    async fn list(&self, label: &str) -> Result<Vec<ContainerSummary>> {
        let options =
            ListContainersOptionsBuilder::default().all(true).filters(&HashMap::from([("label", vec![label])])).build();
        self.docker.list_containers(Some(options)).await.context("listing containers")
    }

    async fn remove_all(&self, containers: impl Iterator<Item = ContainerSummary>) -> Result<Vec<String>> {
        let mut removed = Vec::new();
        for container in containers {
            let name = name(&container);
            let Some(id) = container.id else { continue };
            self.remove_by_id(&id).await.with_context(|| format!("removing the left container {name}"))?;
            removed.push(name);
        }
        Ok(removed)
    }
}

/// What became of the containers that carry an owner.
#[derive(Debug, Default)]
pub struct Swept {
    /// The names of those that were removed.
    pub removed: Vec<String>,
    /// The names of those that run and whose owner cannot be seen from here: of another machine, or of a process namespace
    /// that is not visible.
    pub unknown: Vec<String>,
}

/// What is known of a container's owner. One of another boot is dead where its container does not run: it cannot be about to
/// use it, while the engine of another machine may be measuring in one that does.
fn fate(owner: &RunOwner, container: &ContainerSummary) -> Life {
    let ended = matches!(container.state, Some(ContainerSummaryStateEnum::EXITED | ContainerSummaryStateEnum::DEAD));
    match owner.process.life() {
        Life::Unknown if ended && owner.process.boot != me().boot => Life::Dead,
        life => life,
    }
}

fn name(container: &ContainerSummary) -> String {
    let name = container.names.iter().flatten().next().or(container.id.as_ref());
    name.map(|name| name.trim_start_matches('/').to_owned()).unwrap_or_default()
}

fn labels(container: &ContainerSummary) -> Option<RunOwner> {
    RunOwner::from_labels(container.labels.as_ref()?)
}

/// Whether a container is an old step of a build: the classic builder runs those as `#(nop) INSTRUCTION`.
fn is_abandoned_step(container: &ContainerSummary, now: Duration) -> bool {
    labels(container).is_none()
        && container.command.as_ref().is_some_and(|command| command.contains("#(nop)"))
        && is_old(container.created, now)
}

/// Whether a time in seconds since 1970 is so long ago that a build which began then has ended.
fn is_old(created: Option<i64>, now: Duration) -> bool {
    let created = created.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
    created.is_some_and(|created| created + BUILD_LIMIT < now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::owner::Owner;

    #[test]
    fn a_container_of_another_boot_is_swept_only_once_it_has_ended() {
        let container = |state| ContainerSummary { state: Some(state), ..ContainerSummary::default() };
        let mine = RunOwner::this_process("r1");
        let other = RunOwner { process: Owner { boot: mine.process.boot ^ 1, ..mine.process }, ..mine.clone() };
        assert_eq!(fate(&other, &container(ContainerSummaryStateEnum::RUNNING)), Life::Unknown);
        assert_eq!(fate(&other, &container(ContainerSummaryStateEnum::CREATED)), Life::Unknown);
        assert_eq!(fate(&other, &container(ContainerSummaryStateEnum::EXITED)), Life::Dead);
        assert_eq!(fate(&mine, &container(ContainerSummaryStateEnum::EXITED)), Life::Alive);
    }

    #[test]
    fn only_old_steps_of_builds_count_as_abandoned() {
        let now = Duration::from_secs(10_000);
        let step = ContainerSummary {
            command: Some("/bin/sh -c '#(nop) COPY file:1 in /service '".into()),
            created: Some(9_000),
            labels: Some(HashMap::from([(KIND.to_owned(), "scratch".to_owned())])),
            ..ContainerSummary::default()
        };
        assert!(is_abandoned_step(&step, now));
        assert!(!is_abandoned_step(&ContainerSummary { created: Some(9_900), ..step.clone() }, now));
        assert!(!is_abandoned_step(&ContainerSummary { command: Some("/service".into()), ..step }, now));
    }
}
