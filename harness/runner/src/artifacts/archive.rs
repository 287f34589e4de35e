//! The archive of the built program: what stands in it, and taking artifacts from it in place of building them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::product::Product;
use super::products::Products;
use crate::workload::{CONTENTS, Layout, Provenance};

/// What is in an archive.
#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    /// What it was built from.
    #[serde(flatten)]
    provenance: Provenance,
    /// The artifacts.
    artifacts: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// [`Product::slug`].
    product: String,
    /// The service's folder under services/, or the host's under harness/.
    of: String,
    /// The file, relative to the library.
    file: PathBuf,
}

/// Takes what is wanted from the archive that the program is of.
///
/// # Errors
/// Its list of contents cannot be read.
pub fn take(layout: &Layout, wanted: &BTreeMap<Product, BTreeSet<String>>, products: &mut Products) -> Result<()> {
    let list = layout.root.join(CONTENTS);
    let text = fs_err::read_to_string(&list)?;
    let contents: Contents = serde_json::from_str(&text).with_context(|| format!("{} is damaged", list.display()))?;
    for (product, folders) in wanted {
        if matches!(product, Product::Ahead(..)) {
            continue;
        }
        // A host that compiles when it starts compiles ahead, too.
        let instead = if let Product::Compiler(runtime) = product { Product::JitHost(*runtime) } else { *product };
        let names =
            product.folder().map_or_else(|| folders.iter().cloned().collect(), |folder| vec![folder.to_owned()]);
        for name in names {
            let entry = |product: Product| {
                let slug = product.slug();
                contents.artifacts.iter().find(|entry| entry.product == slug && entry.of == name)
            };
            match entry(*product).or_else(|| entry(instead)) {
                Some(entry) => products.put(*product, &name, layout.root.join(&entry.file)),
                None => products.fail(*product, &name, "the unpacked archive does not have it; use a checkout".into()),
            }
        }
    }
    Ok(())
}

/// Copies artifacts into the library of an archive to be, and writes what it holds.
///
/// # Errors
/// The disk refuses.
pub fn write(library: &Path, products: &Products, provenance: Provenance) -> Result<()> {
    let mut artifacts = Vec::new();
    for (product, of, file) in products.files() {
        if matches!(product, Product::Ahead(..)) {
            // Compiled for this very processor.
            continue;
        }
        let extension = file.extension().filter(|extension| *extension == "wasm");
        let name = if extension.is_some() { format!("{of}.wasm") } else { of.to_owned() };
        let relative = Path::new("artifacts").join(product.slug()).join(name);
        let target = library.join(&relative);
        fs_err::create_dir_all(target.parent().unwrap_or(library))?;
        fs_err::copy(file, &target)?;
        artifacts.push(Entry { product: product.slug(), of: of.into(), file: relative });
    }
    let text = serde_json::to_string_pretty(&Contents { provenance, artifacts })?;
    Ok(fs_err::write(library.join(CONTENTS), text + "\n")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifacts::{Guest, Runtime};

    #[test]
    fn what_was_written_into_an_archive_is_taken_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let (file, library) = (folder.path().join("a.wasm"), folder.path().join("lib"));
        fs_err::write(&file, "component").unwrap();
        let mut built = Products::default();
        built.put(Product::Guest(Guest::Component), "orders", file.clone());
        built.put(Product::Host(Runtime::Wasmtime), "", file.clone());
        built.put(Product::JitHost(Runtime::Wasmtime), "", file);
        write(&library, &built, Provenance::default()).unwrap();
        let layout = Layout { installed: true, ..Layout::checkout(&library) };
        let wanted = BTreeMap::from([
            (Product::Guest(Guest::Component), BTreeSet::from(["orders".to_owned(), "auth".to_owned()])),
            (Product::Host(Runtime::Wasmtime), BTreeSet::new()),
            (Product::Compiler(Runtime::Wasmtime), BTreeSet::new()),
        ]);
        let mut taken = Products::default();
        take(&layout, &wanted, &mut taken).unwrap();
        let component = taken.file(Product::Guest(Guest::Component), "orders").unwrap();
        assert_eq!(fs_err::read_to_string(component).unwrap(), "component");
        assert!(taken.file(Product::Host(Runtime::Wasmtime), "").is_ok());
        assert!(taken.compiler(Runtime::Wasmtime).is_ok(), "the host that compiles when it starts is in the archive");
        assert!(taken.compiler(Runtime::Wasmer).is_err());
        let error = taken.file(Product::Guest(Guest::Component), "auth").unwrap_err().to_string();
        assert!(error.contains("the unpacked archive does not have it"), "{error}");
    }
}
