//! What the fuzz targets do with an input: each is a function of bytes that panics where the code breaks a promise.
//!
//! The programs in targets/ hand them what libFuzzer makes up; the tests here, the seeds in seeds/.

#[cfg(feature = "component")]
mod component;
#[cfg(feature = "framing")]
mod framing;
#[cfg(feature = "reader")]
mod reader;
#[cfg(feature = "record")]
mod record;
#[cfg(feature = "samples")]
mod samples;
#[cfg(feature = "scenario")]
mod scenario;
#[cfg(feature = "service")]
mod service;

#[cfg(feature = "component")]
pub use component::component;
#[cfg(feature = "framing")]
pub use framing::framing;
#[cfg(feature = "reader")]
pub use reader::reader;
#[cfg(feature = "record")]
pub use record::record;
#[cfg(feature = "samples")]
pub use samples::samples;
#[cfg(feature = "scenario")]
pub use scenario::scenario;
#[cfg(feature = "service")]
pub use service::service;

/// The seeds of a target, by file name.
#[cfg(test)]
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let entries = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let seeds: Vec<_> = entries.map(|path| (path.display().to_string(), fs_err::read(path).unwrap())).collect();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds
}
