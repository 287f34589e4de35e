//! Whether what is chosen is there: platforms and implementations by name, files.

use anyhow::{Context, Result, bail, ensure};

use super::plan::{Choice, Chosen, is_named};
use crate::artifacts::read_component;
use crate::platforms::variants;
use crate::workload::{Given, Implementation, Service, Source, find_program};

/// Makes sure that platforms and variants are known.
///
/// # Errors
/// The first name that is in no registry, with those that are.
pub fn check_platforms(names: &[String]) -> Result<()> {
    for name in names {
        ensure!(
            variants().any(|(_, variant)| is_named(name, variant.entry())),
            "there is no platform or variant `{name}`; there are: {}",
            variants().map(|(_, variant)| variant.entry().id().to_string()).collect::<Vec<_>>().join(", ")
        );
    }
    Ok(())
}

pub(super) fn check_implementations(choice: &Choice, wanted: &[&Service]) -> Result<()> {
    let mut known: Vec<&str> = Vec::new();
    for workload in wanted.iter().flat_map(|service| service.workloads()) {
        if !known.contains(&workload.implementation.name.as_str()) {
            known.push(&workload.implementation.name);
        }
    }
    match choice.implementations.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => bail!("there is no implementation `{name}`; there are: {}", known.join(", ")),
        None => Ok(()),
    }
}

/// Why a choice leaves nothing to measure: what is there does not go with what was named.
pub(super) fn nothing_left(platforms: &[String], wanted: &[&Service]) -> String {
    let workloads = wanted.iter().flat_map(|service| service.workloads());
    let fits = workloads.map(|workload| {
        let fitting = variants().filter(|(_, variant)| variant.takes(workload.implementation).is_some());
        let ids: Vec<String> = fitting.map(|(_, variant)| variant.entry().id().to_string()).collect();
        format!("{workload} can be measured as {}", ids.join(", "))
    });
    let fits: Vec<String> = fits.collect();
    format!("there is nothing to measure on {}: {}", platforms.join(", "), fits.join("; "))
}

/// Makes sure that the files are there of which these subjects are made and that nothing builds: a mistyped name must not cost
/// a comparison that lacks its other side.
///
/// # Errors
/// The first that is not there.
pub fn check_files(chosen: &[Chosen<'_>]) -> Result<()> {
    for Chosen { workload, variant, .. } in chosen {
        let Source::Given(given) = &workload.implementation.source else { continue };
        // Whether the variant is made of it: it takes an implementation that has nothing else.
        let is_of = |part: Given| {
            let source = Source::Given(Box::new(part));
            variant.takes(&Implementation { source, ..workload.implementation.clone() }).is_some()
        };
        let rest = || Given { component: None, program: None, image: None, ..Given::clone(given) };
        if let Some(component) = given.component.as_ref().filter(|component| component.build.is_none())
            && is_of(Given { component: Some(component.clone()), ..rest() })
        {
            let file = &component.file;
            ensure!(
                file.exists(),
                "{workload}: there is no component {}: build it first, or name another",
                file.display()
            );
            read_component(file).with_context(|| format!("{workload}: the component cannot be used"))?;
        }
        if let Some(program) = given.program.as_ref().filter(|program| program.build.is_none())
            && is_of(Given { program: Some(program.clone()), ..rest() })
            && let Some(name) = program.command.first()
        {
            find_program(name, &given.folder).with_context(|| workload.to_string())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::plan::choose;
    use crate::workload::Quick;

    #[test]
    fn a_file_that_is_not_there_is_told_at_once_where_it_would_be_measured() {
        let quick = Quick {
            component: Some("cart.wasm".into()),
            image: Some("cart:dev".into()),
            get: "/".into(),
            ..Quick::default()
        };
        let services = [quick.service().unwrap()];
        let of = |platform: &str| {
            let choice = Choice { platforms: vec![platform.into()], ..Choice::default() };
            check_files(&choose(&choice, &services).unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(of("docker/image"), Ok(()));
        let told = of("wasmtime").unwrap_err();
        assert!(told.contains("cart:given: there is no component") && told.contains("cart.wasm"), "{told}");
    }
}
