//! From the services that are named on the command line to services.

use std::path::Path;

use anyhow::{Context, Result, bail};
use tare_runner::workload::{Workload, load_given};
use tare_runner::{Broken, Layout, Service};

use crate::args::SelectArgs;
use crate::screen::say;

/// The services that are chosen: those that are named, by name or by the path of their file, and what is named without any
/// file; where nothing is, the project's own.
///
/// # Errors
/// One that is named is not there or cannot be used; or two have one name.
pub fn chosen(layout: &Layout, select: &SelectArgs) -> Result<Vec<Service>> {
    let mut chosen: Vec<Service> = Vec::new();
    for text in &select.service {
        chosen.push(if is_path(text) { load_given(Path::new(text))? } else { named(layout, text)? });
    }
    let quick = select.quick.resolve();
    // What is said of nothing would be lost without a word.
    if !quick.is_empty() || quick.is_described() {
        chosen.push(quick.service()?);
    }
    if chosen.is_empty() {
        chosen = own(layout)?;
    }
    for (place, service) in chosen.iter().enumerate() {
        if chosen[..place].iter().any(|other| other.name == service.name) {
            bail!("two services are called `{}`: give one another `name` in its file, or by --name", service.name);
        }
    }
    check_slugs(&chosen)?;
    Ok(chosen)
}

/// Files, containers and images are called by slugs, which must tell workloads apart.
fn check_slugs(services: &[Service]) -> Result<()> {
    let workloads: Vec<Workload<'_>> = services.iter().flat_map(Service::workloads).collect();
    for (place, workload) in workloads.iter().enumerate() {
        if let Some(other) = workloads[..place].iter().find(|other| other.slug() == workload.slug()) {
            bail!("{workload} and {other} would have files of one name: give one of them another");
        }
    }
    Ok(())
}

/// The project's own services; says which of them cannot be used.
///
/// # Errors
/// There is none.
pub fn own(layout: &Layout) -> Result<Vec<Service>> {
    let (services, broken) = layout.services()?;
    for Broken { name, error } in &broken {
        say(&format!("warning: the service `{}` is left out: {error:#}", name.escape_debug()));
    }
    if services.is_empty() {
        bail!("there is no service that can be used");
    }
    Ok(services)
}

/// Whether a service is named by where its file is. A bare name may be a folder here, too; then the project's own wins.
fn is_path(text: &str) -> bool {
    text.contains('/')
        || text.starts_with('.')
        || Path::new(text).extension().is_some_and(|extension| extension == "toml")
}

fn named(layout: &Layout, name: &str) -> Result<Service> {
    let (services, broken) = layout.services()?;
    let known: Vec<String> = services.iter().map(|service| service.name.clone()).collect();
    if let Some(service) = services.into_iter().find(|service| service.name == name) {
        return Ok(service);
    }
    if let Some(broken) = broken.into_iter().find(|broken| broken.name == name) {
        return Err(broken.error).with_context(|| format!("the service `{name}` cannot be used"));
    }
    if Path::new(name).is_dir() {
        return load_given(Path::new(name));
    }
    bail!(
        "there is no service `{}`; there are: {}; one of your own is named by the path of its service.toml",
        name.escape_debug(),
        known.join(", ")
    )
}
