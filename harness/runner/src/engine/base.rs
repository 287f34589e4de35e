//! The base of the `debian` image kind: the public image where it can be had, otherwise one made of Debian packages.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use bollard::models::{CreateImageInfo, ImageInspect};
use bollard::query_parameters::{CreateImageOptions, CreateImageOptionsBuilder, TagImageOptions};
use fs_err as fs;
use futures_util::{Stream, StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::process::Command;
use tokio::time::timeout;

use super::labels::{DIGEST, KIND};
use super::{Engine, image};
use crate::sys::digest::hex;
use crate::sys::{owner, temporary};

/// The public base.
pub const PUBLIC_BASE: &str = "debian:bookworm-slim";

/// The name of the one that is made here.
const LOCAL_BASE: (&str, &str) = ("tare/debian", "bookworm-slim");

/// How long a registry may take to begin its answer, and then between two words of progress.
pub(super) const REGISTRY_LIMIT: Duration = Duration::from_secs(10);
const STALL_LIMIT: Duration = Duration::from_mins(1);

/// How much of the file system's archive is sent at a time.
const CHUNK_BYTES: u64 = 1 << 20;

/// An image to build on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// What to call it in a Dockerfile.
    pub reference: String,
    /// The engine's id for it, `sha256:…`.
    pub id: String,
    /// Digests of its uncompressed layers, from the lowest.
    pub layers: Vec<String>,
    /// Where it is from.
    pub origin: BaseOrigin,
}

/// Where a base is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseOrigin {
    /// It is the public image.
    Public,
    /// It was made here.
    Packages {
        /// SHA-256 in hex of the script that made it.
        recipe: String,
    },
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            BaseOrigin::Public => write!(f, "{}, the public image", self.reference),
            BaseOrigin::Packages { recipe } => {
                write!(f, "{}, made of Debian packages by containers/base.sh ({})", self.reference, &recipe[..12])
            }
        }
    }
}

impl Engine {
    /// The base to build on, in this order: the public image if the engine has it; the one that this recipe made
    /// before; the public image from a registry, if one answers; a new one by the recipe, which takes half a minute or
    /// two. So a machine keeps the base it began with until its images are cleaned away.
    ///
    /// What the recipe says goes to the log, which an error names.
    pub async fn ensure_base(&self, recipe: &Path, log: &Path) -> Result<Base> {
        if let Some(public) = self.find_image(PUBLIC_BASE).await? {
            return base(PUBLIC_BASE, public, BaseOrigin::Public);
        }
        let digest = hex(&Sha256::digest(fs::read(recipe)?));
        let local = format!("{}:{}", LOCAL_BASE.0, LOCAL_BASE.1);
        let origin = BaseOrigin::Packages { recipe: digest.clone() };
        if let Some(made) = self.find_image(&local).await?
            && label(&made, DIGEST) == Some(&digest)
        {
            return base(&local, made, origin);
        }
        let no_registry = match self.pull_public().await {
            Ok(()) => {
                let public = self.find_image(PUBLIC_BASE).await?;
                return base(
                    PUBLIC_BASE,
                    public.context("the base was pulled and then is not there")?,
                    BaseOrigin::Public,
                );
            }
            Err(error) => error,
        };
        self.make_local(recipe, &digest, log).await.with_context(|| {
            format!("{PUBLIC_BASE} could not be pulled ({no_registry:#}), and could not be replaced")
        })?;
        let made = self.find_image(&local).await?;
        base(&local, made.context("the base was imported and then is not there")?, origin)
    }

    async fn pull_public(&self) -> Result<()> {
        let (name, tag) = PUBLIC_BASE.split_once(':').unwrap_or((PUBLIC_BASE, "latest"));
        let options = CreateImageOptionsBuilder::default().from_image(name).tag(tag).build();
        drain(self.transfers.create_image(Some(options), None, None), REGISTRY_LIMIT).await.map(drop)
    }

    async fn make_local(&self, recipe: &Path, digest: &str, log: &Path) -> Result<()> {
        let tool = Command::new("mmdebstrap").arg("--version").stdout(Stdio::null()).status().await;
        if tool.is_err() {
            bail!(
                "making a base needs mmdebstrap, which is not installed: `sudo apt-get install mmdebstrap \
                 debian-archive-keyring`; or load {PUBLIC_BASE} into the engine"
            );
        }
        let folder = temporary::folder()?;
        let archive = folder.path().join("base.tar");
        run_recipe(recipe, &archive, log).await?;
        let options = CreateImageOptions {
            from_src: Some("-".into()),
            repo: Some(LOCAL_BASE.0.into()),
            tag: Some(LOCAL_BASE.1.into()),
            changes: vec![format!("LABEL {KIND}=base {DIGEST}={digest}"), "CMD [\"bash\"]".into()],
            ..CreateImageOptions::default()
        };
        let body = bollard::body_try_stream(stream::iter(chunks(fs::File::open(&archive)?)));
        let answers = self.transfers.create_image(Some(options), Some(body), None);
        let last = drain(answers, STALL_LIMIT).await.context("importing the base into the engine")?;
        // Its id. Not every engine heeds the tag that an import asks for (Podman 4.3 does not).
        if let Some(id) = last.filter(|last| last.starts_with("sha256:")) {
            let tag = TagImageOptions { repo: Some(LOCAL_BASE.0.into()), tag: Some(LOCAL_BASE.1.into()) };
            self.docker.tag_image(&id, Some(tag)).await.context("naming the imported base")?;
        }
        Ok(())
    }
}

/// Runs the recipe, its words going to the log.
async fn run_recipe(recipe: &Path, archive: &Path, log: &Path) -> Result<()> {
    if let Some(parent) = log.parent() {
        fs::create_dir_all(parent)?;
    }
    let file = fs::File::create(log)?.into_file();
    let status = Command::new(recipe)
        .arg(archive)
        .env(owner::ENV, owner::me().to_string())
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .kill_on_drop(true)
        .status()
        .await
        .with_context(|| format!("starting {}", recipe.display()))?;
    if !status.success() {
        let hint = if nix::unistd::geteuid().is_root() { "" } else { "; it may need root" };
        bail!("{}", image::failure(&format!("{} ({status}{hint})", recipe.display()), log));
    }
    Ok(())
}

/// Waits for the end of a transfer; fails where it does, or where it stalls. Returns what was said last.
pub(super) async fn drain(
    answers: impl Stream<Item = Result<CreateImageInfo, bollard::errors::Error>>,
    first_limit: Duration,
) -> Result<Option<String>> {
    let mut answers = std::pin::pin!(answers);
    let (mut limit, mut last) = (first_limit, None);
    while let Some(answer) =
        timeout(limit, answers.next()).await.map_err(|_| anyhow!("no answer within {} s", limit.as_secs()))?
    {
        last = answer?.status.or(last);
        limit = STALL_LIMIT;
    }
    Ok(last)
}

/// A file a chunk at a time.
pub(super) fn chunks<T: From<Vec<u8>>>(mut file: fs::File) -> impl Iterator<Item = std::io::Result<T>> {
    std::iter::from_fn(move || {
        let mut chunk = Vec::new();
        match file.by_ref().take(CHUNK_BYTES).read_to_end(&mut chunk) {
            Ok(0) => None,
            Ok(_) => Some(Ok(T::from(chunk))),
            Err(error) => Some(Err(error)),
        }
    })
}

fn label<'a>(image: &'a ImageInspect, name: &str) -> Option<&'a String> {
    image.config.as_ref()?.labels.as_ref()?.get(name)
}

fn base(reference: &str, image: ImageInspect, origin: BaseOrigin) -> Result<Base> {
    let layers = image.root_fs.and_then(|root| root.layers);
    Ok(Base {
        reference: reference.into(),
        id: image.id.with_context(|| format!("the engine gives no id for {reference}"))?,
        layers: layers.with_context(|| format!("the engine gives no layers for {reference}"))?,
        origin,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_recipe_that_fails_is_named_with_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let (recipe, log) = (dir.path().join("base.sh"), dir.path().join("logs/base.log"));
        fs::write(&recipe, "#!/bin/sh\necho \"no mirror for $1\" >&2\nexit 3\n").unwrap();
        fs::set_permissions(&recipe, std::fs::Permissions::from_mode(0o755)).unwrap();
        let error = run_recipe(&recipe, Path::new("out.tar"), &log).await.unwrap_err().to_string();
        for part in [recipe.to_str().unwrap(), log.to_str().unwrap(), "exit status: 3", "| no mirror for out.tar"] {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    }

    #[test]
    fn a_file_comes_in_chunks_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let content = b"abc".repeat(1 << 19);
        fs::write(dir.path().join("f"), &content).unwrap();
        let chunks: Vec<Vec<u8>> =
            chunks(fs::File::open(dir.path().join("f")).unwrap()).collect::<Result<_, _>>().unwrap();
        assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [1 << 20, 1 << 19]);
        assert_eq!(chunks.concat(), content);
    }

    #[tokio::test]
    async fn a_registry_that_is_silent_is_given_up_and_what_one_says_last_is_heard() {
        let silent = drain(stream::pending(), Duration::from_millis(10)).await.unwrap_err();
        assert!(silent.to_string().contains("no answer"), "{silent}");
        let said = |status: Option<&str>| {
            let status = status.map(str::to_owned);
            Ok(CreateImageInfo { status, ..CreateImageInfo::default() })
        };
        let said = stream::iter([said(Some("Pulling")), said(Some("sha256:1")), said(None)]);
        assert_eq!(drain(said, REGISTRY_LIMIT).await.unwrap().as_deref(), Some("sha256:1"));
    }
}
