//! Building images, and removing them.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use bollard::models::{ImageInspect, ImageSummary};
use bollard::query_parameters::{BuildImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder};
use fs_err as fs;
use futures_util::StreamExt as _;

use super::context::{self, Archive};
use super::labels::{DIGEST, KIND, RUN};
use super::{Base, Engine, is_missing};
use crate::sys::bounded::{BoundedFile, cut};

/// How many of a log's last lines an error carries.
const TAIL_LINES: usize = 8;

/// The most of them that is shown, in bytes.
const TAIL_BYTES: usize = 2000;

/// An image to build.
#[derive(Debug, Clone)]
pub struct ImageSpec {
    /// The image kind, for a label: `scratch`, `debian`, `wasm`.
    pub kind: String,
    /// The name to give it, with a tag: `tare/auth:scratch`.
    pub name: String,
    /// The Dockerfile.
    pub dockerfile: PathBuf,
    /// The files that the Dockerfile may copy, by the name that it calls them by.
    pub files: Vec<(String, PathBuf)>,
    /// The Dockerfile's arguments.
    pub args: BTreeMap<String, String>,
    /// What it is built on; given to the Dockerfile as its argument `BASE`.
    pub base: Option<Base>,
    /// The run's name, for a label. An image that an earlier run built from the same things is kept as it is.
    pub run: String,
}

impl ImageSpec {
    pub(super) fn build_args(&self) -> BTreeMap<String, String> {
        let base = self.base.iter().map(|base| ("BASE".to_owned(), base.reference.clone()));
        self.args.clone().into_iter().chain(base).collect()
    }
}

/// A built image.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its name with its tag.
    pub name: String,
    /// The engine's id for it, `sha256:…`.
    pub id: String,
    /// SHA-256 in hex of all that it was made of.
    pub digest: String,
    /// What it is built on.
    pub base: Option<Base>,
    /// Whether it was there already, made of the same things.
    pub kept: bool,
}

impl Engine {
    /// Builds an image, unless one made of the same things is there. What the engine says goes to the log, which is
    /// written anew; an error names it and carries its last lines.
    pub async fn build_image(&self, spec: &ImageSpec, log: &Path) -> Result<Image> {
        let archive = context::pack(spec)?;
        let before = self.find_image(&spec.name).await?;
        let digest = archive.digest.clone();
        let image = |id, kept| Image { name: spec.name.clone(), id, digest, base: spec.base.clone(), kept };
        let label = |before: &ImageInspect| before.config.as_ref()?.labels.as_ref()?.get(DIGEST).cloned();
        let old_id = before.as_ref().and_then(|before| before.id.clone());
        if before.as_ref().and_then(label).as_deref() == Some(archive.digest.as_str())
            && let Some(id) = old_id
        {
            return Ok(image(id, true));
        }
        self.send_build(spec, archive, log).await?;
        let built = self.find_image(&spec.name).await?.and_then(|built| built.id);
        let id = built.ok_or_else(|| anyhow!("the engine built {} and then has no such image", spec.name))?;
        if let Some(old) = old_id.filter(|old| *old != id) {
            self.remove_image(&old).await?;
        }
        Ok(image(id, false))
    }

    async fn send_build(&self, spec: &ImageSpec, archive: Archive, log: &Path) -> Result<()> {
        if let Some(parent) = log.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = BoundedFile::create(log)?;
        let labels = [(KIND, spec.kind.clone()), (DIGEST, archive.digest), (RUN, spec.run.clone())];
        let labels: HashMap<_, _> = labels.map(|(name, value)| (name.to_owned(), value)).into();
        let args: HashMap<_, _> = spec.build_args().into_iter().collect();
        let options = BuildImageOptionsBuilder::default()
            .dockerfile(context::DOCKERFILE)
            .t(&spec.name)
            // An image made of the same things is found by its digest before. The engine's cache would only tie builds
            // together: one that takes a step from it fails where another run removes the image that the step is of.
            .nocache(true)
            .rm(true)
            .forcerm(true)
            .buildargs(&args)
            .labels(&labels)
            .build();
        let mut answers = self.transfers.build_image(options, None, Some(bollard::body_full(archive.tar.into())));
        let mut step = None;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(info) => {
                    let text = info.stream.or(info.status.map(|status| status + "\n")).unwrap_or_default();
                    step = step_image(&text).map(str::to_owned).or(step);
                    file.take(text.as_bytes())?;
                }
                Err(error) => {
                    file.take(format!("{error}\n").as_bytes())?;
                    self.remove_step(step).await?;
                    return Err(anyhow!(error).context(failure(&format!("building the image {}", spec.name), log)));
                }
            }
        }
        Ok(())
    }

    /// Removes the image of the last step of a build that failed, and with it those of the steps before.
    async fn remove_step(&self, id: Option<String>) -> Result<()> {
        let Some(id) = id else { return Ok(()) };
        let image = self.find_image(&id).await?;
        // One with a name is what the build began with.
        if image.is_some_and(|image| image.repo_tags.unwrap_or_default().is_empty()) {
            self.remove_image(&id).await?;
        }
        Ok(())
    }

    /// Removes every image that a run built or made as a base, half-built ones too, and tells their names. Those that
    /// a container uses stay.
    pub async fn remove_images(&self) -> Result<Vec<String>> {
        let mut removed = Vec::new();
        // An image goes only after those that are built on it: again, until a pass removes none.
        loop {
            let options =
                ListImagesOptionsBuilder::default().all(true).filters(&HashMap::from([("label", vec![KIND])])).build();
            let images = self.docker.list_images(Some(options)).await.context("listing images")?;
            let mut progress = false;
            for ImageSummary { id, repo_tags, .. } in images {
                // By its names where it has some: an image with several goes by its id only when forced.
                let tags: Vec<String> = repo_tags.into_iter().filter(|tag| tag != "<none>:<none>").collect();
                for name in if tags.is_empty() { vec![id] } else { tags } {
                    if self.remove_image(&name).await? {
                        progress = true;
                        removed.push(name);
                    }
                }
            }
            if !progress {
                return Ok(removed);
            }
        }
    }

    /// Removes an image by name or id; says whether it was there and nothing used it.
    pub async fn remove_image(&self, name: &str) -> Result<bool> {
        use bollard::errors::Error::DockerResponseServerError as Refused;
        let options = RemoveImageOptionsBuilder::default().build();
        match self.docker.remove_image(name, Some(options), None).await {
            Ok(_) => Ok(true),
            Err(Refused { status_code: 404 | 409, .. }) => Ok(false),
            Err(error) => Err(error).with_context(|| format!("removing the image {name}")),
        }
    }

    /// An image by its name, if it is there.
    pub(super) async fn find_image(&self, name: &str) -> Result<Option<ImageInspect>> {
        match self.docker.inspect_image(name).await {
            Ok(image) => Ok(Some(image)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("asking the engine for the image {name}")),
        }
    }
}

/// The image of a step that is done, from the classic builder's words: ` ---> 0123456789ab`.
fn step_image(line: &str) -> Option<&str> {
    let id = line.strip_prefix(" ---> ")?.trim_end();
    Some(id).filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What failed, with where the log is and its last lines.
pub(super) fn failure(what: &str, log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut tail: Vec<&str> = text.lines().rev().filter(|line| !line.trim().is_empty()).take(TAIL_LINES).collect();
    tail.reverse();
    let tail = cut(&tail.join("\n  | "), TAIL_BYTES);
    format!("{what} failed; its log is {}, and ends with\n  | {tail}\n", log.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_of_a_step_is_told_from_other_words() {
        assert_eq!(step_image(" ---> 2555c3baf57a\n"), Some("2555c3baf57a"));
        assert_eq!(step_image(" ---> Using cache\n"), None);
        assert_eq!(step_image(" ---> Running in 10774e7e01fa\n"), None);
        assert_eq!(step_image("Step 1/2 : FROM scratch\n"), None);
    }

    #[test]
    fn a_failure_names_the_log_and_carries_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("build.log");
        let lines: Vec<String> = (1..=20).map(|number| format!("step {number}\n\n")).collect();
        fs::write(&log, lines.concat()).unwrap();
        let text = failure("building", &log);
        assert!(text.contains(log.to_str().unwrap()) && text.contains("| step 13\n") && text.contains("| step 20\n"));
        assert!(!text.contains("step 12\n"), "{text}");
    }
}
