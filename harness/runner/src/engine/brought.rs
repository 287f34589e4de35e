//! Images that somebody brings: by their name, or by a Dockerfile and its context.

use std::collections::HashMap;
use std::io::{Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, ensure};
use bollard::models::ImageInspect;
use bollard::query_parameters::{BuildImageOptionsBuilder, CreateImageOptionsBuilder, ListImagesOptionsBuilder};
use fs_err as fs;
use futures_util::{StreamExt as _, stream};
use ignore::gitignore::GitignoreBuilder;

use super::base::{REGISTRY_LIMIT, chunks, drain};
use super::image::failure;
use super::labels::KIND;
use super::{Engine, Image};
use crate::sys::bounded::BoundedFile;

/// The kind of an image that is built from somebody's Dockerfile.
const GIVEN: &str = "given";

/// The most bytes of a build's context: more is a mistake, such as a folder of build output.
const LARGEST_CONTEXT: u64 = 2 << 30;

/// The file that says what of a context is not sent.
const IGNORE: &str = ".dockerignore";

/// What an image says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// The TCP ports that it exposes, in ascending order.
    pub ports: Vec<u16>,
    /// Its user; empty for root.
    pub user: String,
}

impl ImageConfig {
    /// Whether its user is root, by number, by name or for want of another.
    pub fn is_root(&self) -> bool {
        let user = self.user.split(':').next().unwrap_or_default();
        matches!(user, "" | "0" | "root")
    }
}

impl Engine {
    /// An image by its name: the one that is there, or the one that a registry has.
    ///
    /// # Errors
    /// It is not there and cannot be pulled.
    pub async fn take_image(&self, reference: &str) -> Result<(Image, ImageConfig)> {
        if self.find_image(reference).await?.is_none()
            && let Err(error) = self.pull(reference).await
        {
            let others = self.tags_of(split_tag(reference).0).await.unwrap_or_default();
            let hint = if others.is_empty() { String::new() } else { format!("; there is {}", others.join(", ")) };
            return Err(error.context(format!(
                "there is no image `{reference}`{hint}, and it cannot be pulled: build it, load it into the engine, or name another"
            )));
        }
        self.known(reference).await
    }

    /// The names of the images that differ from one in their tag only.
    async fn tags_of(&self, name: &str) -> Result<Vec<String>> {
        let filters = HashMap::from([("reference", vec![name])]);
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let images = self.docker.list_images(Some(options)).await.context("listing images")?;
        Ok(images.into_iter().flat_map(|image| image.repo_tags).take(5).collect())
    }

    /// Whether an image is there.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn has_image(&self, reference: &str) -> Result<bool> {
        Ok(self.find_image(reference).await?.is_some())
    }

    async fn pull(&self, reference: &str) -> Result<()> {
        let (name, tag) = split_tag(reference);
        let options = CreateImageOptionsBuilder::default().from_image(name).tag(tag).build();
        drain(self.transfers.create_image(Some(options), None, None), REGISTRY_LIMIT).await.map(drop)
    }

    /// Builds an image from a Dockerfile in a folder, under a name. Its own steps may come from the engine's cache.
    ///
    /// # Errors
    /// The folder cannot be packed, or the build fails; with the end of its log, which is written anew.
    pub async fn build_folder(
        &self,
        name: &str,
        dockerfile: &str,
        context: &Path,
        log: &Path,
    ) -> Result<(Image, ImageConfig)> {
        ensure!(context.join(dockerfile).is_file(), "there is no {dockerfile} in {}", context.display());
        let before = self.find_image(name).await?.and_then(|image| image.id);
        let archive = pack(context, dockerfile)?;
        // Nothing of a run: an image that is built again of the same things is the same, also to a run beside this one.
        let labels = HashMap::from([(KIND.to_owned(), GIVEN.to_owned())]);
        let options = BuildImageOptionsBuilder::default()
            .dockerfile(dockerfile)
            .t(name)
            .rm(true)
            .forcerm(true)
            .labels(&labels)
            .build();
        let body = bollard::body_try_stream(stream::iter(chunks(archive)));
        let mut answers = self.transfers.build_image(options, None, Some(body));
        let mut file = BoundedFile::create(log)?;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(info) => file.take(info.stream.unwrap_or_default().as_bytes())?,
                Err(error) => {
                    file.take(format!("{error}\n").as_bytes())?;
                    return Err(anyhow!(error).context(failure(&format!("building the image {name}"), log)));
                }
            }
        }
        let (image, config) = self.known(name).await?;
        if let Some(before) = before.filter(|before| *before != image.id) {
            self.remove_image(&before).await?;
        }
        Ok((image, config))
    }

    async fn known(&self, name: &str) -> Result<(Image, ImageConfig)> {
        let found =
            self.find_image(name).await?.with_context(|| format!("the engine has no image {name} after all"))?;
        let config = config(&found);
        let id = found.id.with_context(|| format!("the engine gives no id for {name}"))?;
        Ok((Image { name: name.into(), digest: String::new(), id, base: None, kept: true }, config))
    }
}

/// A name and its tag, `latest` where it has none; what is named by its digest keeps it.
fn split_tag(reference: &str) -> (&str, &str) {
    if let Some((name, digest)) = reference.split_once('@') {
        return (name, digest);
    }
    match reference.rsplit_once(':') {
        // A colon before a slash is that of a registry's port.
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, "latest"),
    }
}

fn config(image: &ImageInspect) -> ImageConfig {
    let config = image.config.clone().unwrap_or_default();
    let port = |name: &String| name.strip_suffix("/tcp").unwrap_or(name).parse().ok();
    let mut ports: Vec<u16> = config.exposed_ports.iter().flatten().filter_map(port).collect();
    ports.sort_unstable();
    ImageConfig { ports, user: config.user.unwrap_or_default() }
}

/// A folder as an archive in a temporary file, without what its list of ignored files names.
fn pack(context: &Path, dockerfile: &str) -> Result<fs::File> {
    // Without a name, so that nothing of it is left, whatever happens.
    let mut tar = tar::Builder::new(tempfile::tempfile()?);
    tar.follow_symlinks(false);
    let mut bytes = 0;
    for path in files(context, dockerfile)? {
        let relative = path.strip_prefix(context)?;
        let metadata = fs::symlink_metadata(&path)?;
        bytes += metadata.len();
        ensure!(
            bytes <= LARGEST_CONTEXT,
            "the context {} has more than {} GiB: name in {IGNORE} what the build does not need",
            context.display(),
            LARGEST_CONTEXT >> 30
        );
        tar.append_path_with_name(&path, relative).with_context(|| format!("packing {}", path.display()))?;
    }
    let mut file = tar.into_inner().with_context(|| format!("packing {}", context.display()))?;
    file.seek(SeekFrom::Start(0))?;
    Ok(fs::File::from_parts(file, "the packed context"))
}

/// Everything in a folder that its list of ignored files does not name, folders before what is in them.
fn files(context: &Path, dockerfile: &str) -> Result<Vec<PathBuf>> {
    // Whatever is ignored, the engine needs these.
    let kept = [context.join(dockerfile), context.join(IGNORE)];
    let mut ignored = GitignoreBuilder::new(context);
    let list = context.join(IGNORE);
    if list.is_file() {
        for line in fs::read_to_string(&list)?.lines() {
            ignored.add_line(None, &rooted(line)).with_context(|| format!("`{line}` in {}", list.display()))?;
        }
    }
    let ignored = ignored.build()?;
    let mut found = Vec::new();
    let mut folders = vec![context.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, is_dir) = (entry.path(), entry.file_type()?.is_dir());
            if is_dir {
                folders.push(path.clone());
            }
            let is_plain = is_dir || entry.file_type()?.is_file() || entry.file_type()?.is_symlink();
            let is_kept = kept.contains(&path) || !ignored.matched_path_or_any_parents(&path, is_dir).is_ignore();
            if is_plain && is_kept {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A pattern as one that begins at the context's root: unlike git's, those of an engine do not match at any depth.
fn rooted(line: &str) -> String {
    let line = line.trim();
    let (sign, pattern) = line.strip_prefix('!').map_or(("", line), |pattern| ("!", pattern));
    if pattern.is_empty() || pattern.starts_with(['#', '/']) || pattern.starts_with("**") {
        return line.to_owned();
    }
    format!("{sign}/{}", pattern.trim_start_matches("./"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_told_from_a_port() {
        assert_eq!(split_tag("cart"), ("cart", "latest"));
        assert_eq!(split_tag("localhost:5000/cart"), ("localhost:5000/cart", "latest"));
        assert_eq!(split_tag("localhost:5000/cart:dev"), ("localhost:5000/cart", "dev"));
        assert_eq!(split_tag("cart@sha256:ab"), ("cart", "sha256:ab"));
    }

    #[test]
    fn what_is_ignored_is_not_sent_and_what_is_excepted_is() {
        let context = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = context.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        };
        for name in ["Dockerfile", "target/a", "target/keep", "src/target/b", "src/c.log", "c.log"] {
            write(name);
        }
        fs::write(context.path().join(IGNORE), "# build output\ntarget\n!target/keep\n**/*.log\nDockerfile\n").unwrap();
        let sent = files(context.path(), "Dockerfile").unwrap();
        let sent: Vec<_> =
            sent.iter().map(|path| path.strip_prefix(context.path()).unwrap().display().to_string()).collect();
        assert_eq!(sent, [".dockerignore", "Dockerfile", "src", "src/target", "src/target/b", "target/keep"]);
        let mut archive = tar::Archive::new(pack(context.path(), "Dockerfile").unwrap());
        let names: Vec<_> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
        assert_eq!(names.len(), 6, "{names:?}");
    }

    #[test]
    fn root_is_told_from_other_users() {
        for (user, root) in [("", true), ("0:0", true), ("root", true), ("nonroot:nonroot", false), ("1000", false)] {
            assert_eq!(ImageConfig { user: user.into(), ..ImageConfig::default() }.is_root(), root, "{user}");
        }
    }
}
