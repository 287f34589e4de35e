//! Building: by cargo what is of the workspace, by its own command what somebody brings, and ahead of time what a Wasm host
//! without a compiler is to load.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::process::Command;

use super::archive;
use super::cargo::{self, CargoBuild, CargoOutput};
use super::check::refusal;
use super::given;
use super::product::{Code, Guest, Product, Runtime};
use super::products::Products;
use crate::sys::digest::sha256;
use crate::sys::owner;
use crate::workload::{Implementation, Layout, MEMORY_LIMIT, Source, Workload};

/// How many cargos run beside each other at most. Each takes some gigabytes of memory while it optimises a whole host.
const AT_ONCE: usize = 3;

/// Digits of a digest that tell files apart.
const DIGITS: usize = 16;

/// What is to be there.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    /// Of the workspace: which artifacts of which folders under services/.
    folders: BTreeMap<Product, BTreeSet<String>>,
    /// Of what somebody brings.
    given: Vec<(Product, Workload<'a>)>,
    /// The folders that are built whenever one is: which features their common dependencies get, and so their bytes, depends
    /// on what is built together.
    together: BTreeSet<String>,
}

impl<'a> Wanted<'a> {
    /// Nothing yet. When a service of the workspace is asked for, these are built with it.
    pub fn together(folders: impl IntoIterator<Item = String>) -> Self {
        Self { together: folders.into_iter().collect(), ..Self::default() }
    }

    /// An artifact of a workload is wanted, with all that it takes to make it.
    pub fn add(&mut self, product: Product, workload: Workload<'a>) {
        for needed in product.needs() {
            self.add(needed, workload);
        }
        match &workload.implementation.source {
            Source::Workspace { folder } => self.add_folder(product, folder),
            Source::Given(_) if product.folder().is_none() => self.given.push((product, workload)),
            Source::Given(_) | Source::Running(_) => self.add_folder(product, ""),
        }
    }

    /// An artifact of a folder under services/ is wanted, with all that it takes to make it.
    pub fn add_folder(&mut self, product: Product, folder: &str) {
        for needed in product.needs() {
            self.add_folder(needed, folder);
        }
        let folders = self.folders.entry(product).or_default();
        if product.folder().is_none() {
            folders.extend(self.together.iter().cloned());
            folders.insert(folder.to_owned());
        }
    }

    /// Whether an artifact is wanted of anything.
    pub fn wants(&self, product: Product) -> bool {
        self.folders.contains_key(&product) || self.given.iter().any(|(wanted, _)| *wanted == product)
    }
}

/// Builds what is wanted, or takes it from the archive that the program is of. What fails is remembered with its reason; the
/// rest goes on.
///
/// # Errors
/// When cargo cannot be run at all.
pub async fn build(layout: &Layout, wanted: &Wanted<'_>, mut progress: impl FnMut(&str)) -> Result<Products> {
    let mut products = Products::default();
    if layout.installed {
        archive::take(layout, &wanted.folders, &mut products)?;
    } else {
        let progress = RefCell::new(&mut progress);
        cargos(layout, &wanted.folders, &mut products, |what| progress.borrow_mut()(what)).await?;
    }
    given::make(layout, &wanted.given, &mut products, &mut progress).await?;
    for (product, workload) in &wanted.given {
        let Product::Ahead(guest, runtime, _) = product else { continue };
        let Ok(portable) = products.file(Product::Guest(*guest), &workload.to_string()) else { continue };
        let Implementation { needs, limits, .. } = workload.implementation;
        if let Err(error) = refusal(portable, *runtime, needs, limits.memory_bytes().unwrap_or(MEMORY_LIMIT)) {
            products.fail(*product, &workload.to_string(), format!("{error:#}"));
        }
    }
    let given = wanted.given.iter().map(|(product, workload)| (*product, workload.to_string(), workload.slug()));
    let folders = wanted
        .folders
        .iter()
        .flat_map(|(product, folders)| folders.iter().map(|folder| (*product, folder.clone(), folder.clone())));
    for (product, workload, slug) in folders.chain(given) {
        let Product::Ahead(guest, runtime, code) = product else { continue };
        if products.check(product, &workload).is_err() {
            continue;
        }
        progress(&format!("{workload}: {}", product.label()));
        match compile_ahead(layout, &products, (&workload, &slug), (guest, runtime, code)).await {
            Ok(file) => products.put(product, &workload, file),
            Err(error) => products.fail(product, &workload, format!("{error:#}")),
        }
    }
    Ok(products)
}

/// One product to be built by cargo.
struct Build {
    product: Product,
    /// What it is built of.
    names: Vec<String>,
    cargo: CargoBuild,
}

/// Builds what is of the workspace. Those of one profile one after another, since cargo locks that; beside them those of other
/// profiles, since optimising a whole host keeps one CPU busy for a minute and the others idle.
async fn cargos(
    layout: &Layout,
    wanted: &BTreeMap<Product, BTreeSet<String>>,
    products: &mut Products,
    progress: impl Fn(&str),
) -> Result<()> {
    let mut profiles: BTreeMap<&str, Vec<Build>> = BTreeMap::new();
    for (&product, folders) in wanted {
        let is_there = |runtime| wanted.contains_key(&Product::JitHost(runtime));
        if matches!(product, Product::Compiler(runtime) if is_there(runtime)) {
            continue;
        }
        let Some(cargo) = product.cargo(folders) else { continue };
        let names =
            product.folder().map_or_else(|| folders.iter().cloned().collect(), |folder| vec![folder.to_owned()]);
        profiles.entry(cargo.profile).or_default().push(Build { product, names, cargo });
    }
    let mut profiles: Vec<_> = profiles.into_values().collect();
    // What takes longest is begun first: each host is optimised as a whole.
    let hosts = |builds: &Vec<Build>| {
        builds.iter().filter(|build| matches!(build.product, Product::Host(_) | Product::JitHost(_))).count()
    };
    profiles.sort_by_key(|builds| Reverse(hosts(builds)));
    let (jobs, progress) = (&cargo::jobs()?, &progress);
    let built = stream::iter(profiles).map(|builds| async move {
        let mut built = Vec::new();
        for Build { product, names, cargo } in builds {
            progress(&product.label());
            let told = |what: &str| progress(&format!("{}: {what}", product.label()));
            built.push((product, names, cargo.run(&layout.root, jobs, told).await?));
        }
        anyhow::Ok(built)
    });
    let built: Vec<_> = built.buffer_unordered(AT_ONCE).try_collect().await?;
    built.into_iter().flatten().try_for_each(|(product, names, output)| sort(layout, products, product, names, &output))
}

/// Files what cargo built, and the reasons for what it did not.
fn sort(
    layout: &Layout,
    products: &mut Products,
    product: Product,
    names: Vec<String>,
    output: &CargoOutput,
) -> Result<()> {
    let log = layout.logs().join(format!("build-{}.log", product.slug()));
    if !output.errors.is_empty() {
        fs_err::create_dir_all(layout.logs())?;
        fs_err::write(&log, &output.errors)?;
    }
    for name in names {
        match output.files.get(&name) {
            Some(file) => products.put(product, &name, file.clone()),
            None => {
                let first =
                    output.errors.lines().find(|line| line.starts_with("error")).unwrap_or("cargo built no file");
                products.fail(product, &name, format!("{first}; see {}", layout.relative(&log)));
            }
        }
    }
    Ok(())
}

async fn compile_ahead(
    layout: &Layout,
    products: &Products,
    (workload, slug): (&str, &str),
    (guest, runtime, code): (Guest, Runtime, Code),
) -> Result<PathBuf> {
    let portable = products.file(Product::Guest(guest), workload)?;
    let host = products.compiler(runtime.compiler())?;
    let folder = layout.work.join("ahead").join(guest.name());
    fs_err::create_dir_all(&folder)?;
    // Named by what it is compiled from, and put into place whole: another comparison may use the one that is there.
    let digest = sha256(&fs_err::read(portable)?);
    let file = folder.join(format!("{slug}-{}{}.{}", &digest[..DIGITS], code.suffix(), runtime.extension()));
    let new = file.with_extension(format!("new-{}", std::process::id()));
    let mut command = Command::new(host);
    command.env(owner::ENV, owner::me().to_string());
    command.arg("compile").args(code.args()).arg(portable).arg(&new).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.with_context(|| format!("cannot run {}", host.display()))?;
    ensure!(
        output.status.success(),
        "compiling {} ahead failed: {}",
        layout.relative(portable),
        last_words(&output.stderr)
    );
    fs_err::rename(&new, &file)?;
    Ok(file)
}

/// The end of what a command wrote, for an error.
pub(super) fn last_words(bytes: &[u8]) -> String {
    const SHOWN: usize = 2000;
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(SHOWN)..]).trim().to_owned();
    if bytes.len() > SHOWN { format!("… {text}") } else { text }
}

/// A file under the layout's folder of logs.
pub(super) fn log_file(layout: &Layout, name: &str) -> Result<PathBuf> {
    fs_err::create_dir_all(layout.logs())?;
    Ok(layout.logs().join(Path::new(name)))
}
