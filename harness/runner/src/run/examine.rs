//! What of a service can be measured on this machine, and what cannot, and why: before anything is built or started.

use std::path::Path;

use tare_component::{Effect, Problem};

use crate::artifacts::{Runtime, component_problems, read_component};
use crate::engine::Engine;
use crate::platforms::variants;
use crate::sys::finding::{Finding, Level};
use crate::workload::{Given, GivenImage, ImageSource, MEMORY_LIMIT, Service, Source, Workload, find_program};

/// Looks at services: a finding for each artifact and host, and one for the variants that each implementation can be measured
/// in. What cannot be measured is missing where nothing else of its implementation can be either, else a warning.
pub async fn examine(services: &[Service]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for workload in services.iter().flat_map(Service::workloads) {
        // What is named and no component is a mistake, whatever else can be measured.
        findings.extend(no_component(workload));
        let mut of_artifacts = artifacts(workload).await;
        if of_artifacts.is_empty() || of_artifacts.iter().any(|finding| finding.level != Level::Missing) {
            findings.push(fitting(workload));
        }
        if of_artifacts.iter().any(|finding| finding.level != Level::Missing) {
            for finding in &mut of_artifacts {
                finding.level = finding.level.min(Level::Warning);
            }
        }
        findings.append(&mut of_artifacts);
    }
    findings
}

/// A finding for each artifact and host: missing where it cannot be measured.
async fn artifacts(workload: Workload<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &workload.implementation.source {
        Source::Workspace { .. } => {}
        Source::Given(given) => {
            findings.extend(component(workload, given));
            findings.extend(program(workload, given));
            if let Some(wanted) = &given.image {
                findings.push(image(workload, wanted).await);
            }
        }
        Source::Running(addr) => {
            let what = format!("{workload} at its URL");
            findings.push(match tokio::net::TcpStream::connect(addr).await {
                Ok(_) => Finding::good(&what, format!("{addr} takes connections")),
                Err(error) => Finding::missing(&what, format!("nothing answers at {addr}: {error}"), "start it"),
            });
        }
    }
    findings
}

/// In which variants an implementation can be measured.
fn fitting(workload: Workload<'_>) -> Finding {
    let fitting = variants().filter(|(_, variant)| variant.takes(workload.implementation).is_some());
    let ids: Vec<String> = fitting.map(|(_, variant)| variant.entry().id().to_string()).collect();
    Finding::good(&workload.to_string(), format!("may be measured as {}", ids.join(", ")))
}

/// A component's file that is none, or not there.
fn no_component(workload: Workload<'_>) -> Option<Finding> {
    let component = workload.given()?.component.as_ref().filter(|component| component.build.is_none())?;
    let error = read_component(&component.file).err()?;
    let remedy = "name a component of wasi:http 0.2, and build it first where that is left to you";
    Some(Finding::missing(&format!("{workload}, the component"), format!("{error:#}"), remedy))
}

fn component(workload: Workload<'_>, given: &Given) -> Vec<Finding> {
    let Some(component) = &given.component else { return Vec::new() };
    if let Some(build) = component.build.as_ref().filter(|_| !component.file.exists()) {
        let what = format!("{workload}, the component");
        return vec![Finding::good(&what, format!("is not built yet: `{}` makes it", build.0.join(" ")))];
    }
    if no_component(workload).is_some() {
        return Vec::new();
    }
    [Runtime::Wasmtime, Runtime::Wasmer].map(|runtime| on_host(workload, &component.file, runtime)).into()
}

/// What a host makes of a component.
fn on_host(workload: Workload<'_>, file: &Path, runtime: Runtime) -> Finding {
    let what = format!("{workload} on {}", runtime.name());
    let limit = workload.implementation.limits.memory_bytes().unwrap_or(MEMORY_LIMIT);
    let (inspected, problems) = match component_problems(file, runtime, &workload.implementation.needs, limit) {
        Ok(found) => found,
        Err(error) => {
            let remedy = "name a component of wasi:http 0.2, and build it first where that is left to you";
            return Finding::missing(&what, format!("{error:#}"), remedy);
        }
    };
    let needs = &workload.implementation.needs;
    if runtime == Runtime::Wasmer && !(needs.outgoing.is_empty() && needs.folders.is_empty()) {
        let why = "not measured there: this host grants neither folders nor hosts to send requests to, which its file asks for";
        return Finding::missing(&what, why, "measure it on Wasmtime, or take these needs out of its file");
    }
    let of = |effect: Effect| problems.iter().filter(move |problem| problem.effect == effect);
    if of(Effect::Refused).next().is_some() {
        let why: Vec<String> = of(Effect::Refused).map(|it| format!("{}: {}", it.subject, it.why)).collect();
        let remedies: Vec<String> = of(Effect::Refused).map(|problem| problem.remedy.clone()).collect();
        return Finding::missing(&what, format!("refused: {}", why.join("; ")), remedies.join("; "));
    }
    let imports = inspected.imports.len();
    let failing: Vec<String> = of(Effect::CallsFail).map(Problem::to_string).collect();
    if failing.is_empty() {
        return Finding::good(&what, format!("a component with {imports} imports, all of them provided"));
    }
    let detail = format!("runs; {} of its {imports} imports are there and their calls fail", failing.len());
    Finding { remedy: Some(failing.join("; ")), ..Finding::good(&what, detail) }
}

fn program(workload: Workload<'_>, given: &Given) -> Option<Finding> {
    let program = given.program.as_ref()?;
    let what = format!("{workload}, the program");
    let name = program.command.first()?;
    Some(match (find_program(name, &given.folder), &program.build) {
        (Ok(found), _) => Finding::good(&what, found.display().to_string()),
        (Err(_), Some(build)) => Finding::good(&what, format!("is not built yet: `{}` makes it", build.0.join(" "))),
        (Err(error), None) => {
            Finding::missing(&what, format!("{error:#}"), "name a program that is there, or how it is built")
        }
    })
}

async fn image(workload: Workload<'_>, image: &GivenImage) -> Finding {
    let what = format!("{workload}, the image");
    match &image.source {
        ImageSource::Dockerfile { file, context } => {
            if context.join(file).is_file() {
                return Finding::good(&what, format!("is built from {file} in {}", context.display()));
            }
            let detail = format!("there is no {file} in {}", context.display());
            Finding::missing(&what, detail, "name the Dockerfile and the folder that it is built in")
        }
        ImageSource::Reference(reference) => {
            let engine = match Engine::connect().await {
                Ok(engine) => engine,
                Err(error) => return Finding::missing(&what, "no container engine can be used", error.to_string()),
            };
            match engine.has_image(reference).await {
                Ok(true) => Finding::good(&what, format!("{reference} is there")),
                Ok(false) => Finding::warning(
                    &what,
                    format!("{reference} is not there, and would be pulled"),
                    "build it or load it into the engine where no registry has it",
                ),
                Err(error) => Finding::missing(&what, format!("{error:#}"), "see the engine's log"),
            }
        }
    }
}
