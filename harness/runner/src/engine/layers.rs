//! Sizes of images, from the archive that `docker save` makes: engines differ in what they call an image's size.

use std::collections::HashMap;
use std::io::{Read, Seek as _, SeekFrom, Write as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Engine, Image, LayerBytes};
use crate::sys::gzip;

/// The first bytes of a gzip stream and of a Zstandard frame.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// SHA-256 of its uncompressed archive, `sha256:…`: the layer's own name, the same in every image that has it.
    pub digest: String,
    /// The uncompressed archive, in bytes: what is stored.
    pub bytes: u64,
    /// The archive compressed with gzip at level 6, in bytes: what a registry sends. Compressed here even where the
    /// engine keeps it compressed, so that all images are held to one compressor.
    pub compressed_bytes: u64,
    /// Whether it is the base's.
    pub base: bool,
}

impl Engine {
    /// The layers of an image, from the lowest. Writes the image to a temporary file on the way.
    pub async fn layers(&self, image: &Image) -> Result<Vec<Layer>> {
        let what = || format!("measuring the layers of {}", image.name);
        let mut file = tempfile::tempfile().with_context(what)?;
        let mut stream = std::pin::pin!(self.transfers.export_image(&image.name));
        while let Some(chunk) = stream.next().await {
            file.write_all(&chunk.with_context(what)?).with_context(what)?;
        }
        let known = self.layers.lock().map_err(|_| anyhow!("an earlier measurement panicked"))?.clone();
        let measured = tokio::task::spawn_blocking(move || measure(file, &known)).await?.with_context(what)?;
        let mut known = self.layers.lock().map_err(|_| anyhow!("an earlier measurement panicked"))?;
        known.extend(measured.iter().cloned());
        let of_base = |digest: &String| image.base.as_ref().is_some_and(|base| base.layers.contains(digest));
        let layer = |(digest, (bytes, compressed_bytes))| {
            let base = of_base(&digest);
            Layer { digest, bytes, compressed_bytes, base }
        };
        Ok(measured.into_iter().map(layer).collect())
    }
}

/// An entry of the archive's `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Manifest {
    config: PathBuf,
    layers: Vec<PathBuf>,
}

/// An image's configuration, as far as it matters here.
#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<String>,
}

/// Sizes of the layers of the only image in an archive, from the lowest; those known by digest are not read again.
fn measure(file: std::fs::File, known: &HashMap<String, LayerBytes>) -> Result<Vec<(String, LayerBytes)>> {
    let mut archive = SavedImage::open(file)?;
    let manifests: Vec<Manifest> = archive.json(Path::new("manifest.json"))?;
    let [Manifest { config, layers }] = &manifests[..] else {
        bail!("the saved archive holds {} images instead of one", manifests.len());
    };
    let config: Config = archive.json(config)?;
    let digests = config.rootfs.diff_ids;
    if digests.len() != layers.len() {
        bail!("the saved image has {} layers and names {} digests", layers.len(), digests.len());
    }
    let size = |(digest, path): (String, &PathBuf)| {
        let bytes = match known.get(&digest) {
            Some(bytes) => *bytes,
            None => layer_bytes(archive.entry(path)?).with_context(|| format!("reading {}", path.display()))?,
        };
        Ok((digest, bytes))
    };
    digests.into_iter().zip(layers).map(size).collect()
}

/// An archive of `docker save` with an index of what is where in it.
struct SavedImage {
    file: std::fs::File,
    /// Offset and length of each file.
    files: HashMap<PathBuf, (u64, u64)>,
    /// What stands for another file: engines write a layer that occurs twice once.
    links: HashMap<PathBuf, PathBuf>,
}

impl SavedImage {
    fn open(mut file: std::fs::File) -> Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let (mut files, mut links) = (HashMap::new(), HashMap::new());
        let mut archive = tar::Archive::new(&file);
        for entry in archive.entries_with_seek()? {
            let entry = entry?;
            let path = entry.path()?.into_owned();
            if let Some(target) = entry.link_name()? {
                links.insert(path.clone(), resolve(path.parent().unwrap_or(Path::new("")), &target));
            } else {
                files.insert(path, (entry.raw_file_position(), entry.size()));
            }
        }
        Ok(Self { file, files, links })
    }

    fn entry(&mut self, path: &Path) -> Result<impl Read + use<'_>> {
        let path = self.links.get(path).map_or(path, PathBuf::as_path);
        let (offset, length) =
            *self.files.get(path).with_context(|| format!("the saved archive has no {}", path.display()))?;
        self.file.seek(SeekFrom::Start(offset))?;
        Ok((&mut self.file).take(length))
    }

    fn json<T: DeserializeOwned>(&mut self, path: &Path) -> Result<T> {
        let reader = std::io::BufReader::new(self.entry(path)?);
        serde_json::from_reader(reader).with_context(|| format!("reading {} of the saved archive", path.display()))
    }
}

/// A relative link's target, `..` followed by name alone: inside an archive there are no links between directories.
fn resolve(folder: &Path, target: &Path) -> PathBuf {
    target.components().fold(folder.to_owned(), |mut path, part| {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            _ => {}
        }
        path
    })
}

fn layer_bytes(mut layer: impl Read) -> Result<LayerBytes> {
    let mut head = Vec::new();
    layer.by_ref().take(4).read_to_end(&mut head)?;
    let whole = head.as_slice().chain(layer);
    if head.starts_with(&GZIP_MAGIC) {
        Ok(gzip::sizes(MultiGzDecoder::new(whole))?)
    } else if head == ZSTD_MAGIC {
        bail!("the engine keeps this layer compressed with Zstandard; only plain and gzip layers can be measured")
    } else {
        Ok(gzip::sizes(whole)?)
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// Half a mebibyte that compresses well.
    fn layer() -> Vec<u8> {
        b"0123456789abcdef".repeat(1 << 15)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn archive(files: &[(&str, &[u8])], links: &[(&str, &str)]) -> std::fs::File {
        let mut tar = tar::Builder::new(tempfile::tempfile().unwrap());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, name, *bytes).unwrap();
        }
        for (name, target) in links {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            tar.append_link(&mut header, name, target).unwrap();
        }
        tar.into_inner().unwrap()
    }

    #[test]
    fn both_forms_of_saved_images_are_measured_alike() {
        let plain = layer();
        let packed = gzip(&plain);
        let expected = gzip::sizes(&plain[..]).unwrap();
        assert_eq!(expected.0, plain.len() as u64);
        let config = br#"{"rootfs":{"type":"layers","diff_ids":["sha256:a","sha256:b"]}}"#;
        // Docker up to 24: plain layers in folders, a repeated one as a link.
        let old = archive(
            &[
                ("manifest.json", br#"[{"Config":"c.json","Layers":["1/layer.tar","2/layer.tar"]}]"#),
                ("c.json", config),
                ("1/layer.tar", &plain),
            ],
            &[("2/layer.tar", "../1/layer.tar")],
        );
        // Docker from 25 with containerd's store: blobs, compressed.
        let new = archive(
            &[
                ("blobs/sha256/1", &packed),
                ("blobs/sha256/2", &packed),
                ("blobs/sha256/c", config),
                ("manifest.json", br#"[{"Config":"blobs/sha256/c","Layers":["blobs/sha256/1","blobs/sha256/2"]}]"#),
            ],
            &[],
        );
        for file in [old, new] {
            let layers = measure(file, &HashMap::new()).unwrap();
            assert_eq!(layers, [("sha256:a".to_owned(), expected), ("sha256:b".to_owned(), expected)]);
        }
    }

    #[test]
    fn a_known_layer_is_not_read_again() {
        let files: [(&str, &[u8]); 2] = [
            ("manifest.json", br#"[{"Config":"c.json","Layers":["not-there"]}]"#),
            ("c.json", br#"{"rootfs":{"diff_ids":["sha256:a"]}}"#),
        ];
        let known = HashMap::from([("sha256:a".to_owned(), (7, 3))]);
        assert_eq!(measure(archive(&files, &[]), &known).unwrap(), [("sha256:a".to_owned(), (7, 3))]);
        let error = measure(archive(&files, &[]), &HashMap::new()).unwrap_err();
        assert!(format!("{error:#}").contains("not-there"), "{error:#}");
    }
}
