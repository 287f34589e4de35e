//! All steps of a description: their order, what one takes from another's answer, their weights, and the probe.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::Document;
use crate::operation::{Draft, Operation};
use crate::parameter;
use crate::step::Step;

/// The most steps of a file.
const MOST_STEPS: usize = 300;

/// The most bytes of all steps.
const MOST_BYTES: usize = 1 << 20;

/// How paths end that answer once a service is ready, the best first.
const HEALTH: [&str; 10] =
    ["health", "healthz", "ready", "readyz", "livez", "live", "liveness", "readiness", "ping", "status"];

/// The steps of a file.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order in which they are sent.
    pub steps: Vec<Step>,
    /// The operations without a step that is switched on, each with the reason.
    pub left_out: Vec<String>,
}

/// What an earlier step made.
struct Made {
    /// Where it is among the steps.
    index: usize,
    /// What its answer's object may hold.
    names: Vec<String>,
}

/// What a step is to capture: where the step is, the name, and the JSON pointer.
type Capture = (usize, String, String);

/// Makes steps of operations.
pub fn plan(document: &Document, operations: Vec<Operation<'_>>) -> Plan {
    let mut plan = Plan::default();
    let mut drafts = Vec::new();
    for operation in operations {
        match operation.draft(document) {
            Ok(draft) => drafts.push((operation.title(), draft)),
            Err(why) => plan.left_out.push(format!("{}: {why}", operation.title())),
        }
    }
    // Stable: operations of one path keep the order of their methods.
    drafts.sort_by_key(|(_, draft)| place(draft));
    let mut titles = Vec::new();
    let mut candidates = Vec::new();
    let mut made = BTreeMap::new();
    let mut bytes = 0;
    for (title, draft) in drafts {
        let (index, template, base) = (plan.steps.len(), draft.template, draft.base.clone());
        let is_candidate = is_candidate(&draft);
        let (answers, is_secured) = (draft.answers.clone(), draft.is_secured);
        let step = match finish(draft, &made, &mut plan.steps) {
            Ok(step) => step,
            Err(why) => {
                plan.left_out.push(format!("{title}: {why}"));
                continue;
            }
        };
        bytes += step.write().len();
        if index >= MOST_STEPS || bytes > MOST_BYTES {
            plan.left_out.push(format!("{title}: the file holds {index} steps already, add it by hand"));
            continue;
        }
        if is_candidate {
            candidates.push((is_secured, health(template), step.path.contains('?'), index));
        }
        if step.method == "POST" {
            made.insert((base, template.trim_end_matches('/').to_owned()), Made { index, names: answers });
        }
        plan.steps.push(step);
        titles.push(title);
    }
    switch_off(&mut plan, &titles);
    if let Some((_, rank, _, index)) = candidates.into_iter().min() {
        set_probe(&mut plan.steps, index, rank < HEALTH.len());
    }
    plan
}

/// Where an operation belongs: first what reads without parameters in its path; then what has few before what has more,
/// so that a thing is made before it is read; and what deletes at the end, the innermost first.
fn place(draft: &Draft<'_>) -> (u8, usize, String) {
    let parameters = draft.template.matches('{').count();
    let path = draft.template.trim_end_matches('/').to_owned();
    match draft.step.method.as_str() {
        "GET" if parameters == 0 => (0, 0, path),
        "DELETE" => (2, usize::MAX - parameters, path),
        _ => (1, parameters, path),
    }
}

/// Whether it could tell that the service has started.
fn is_candidate(draft: &Draft<'_>) -> bool {
    let step = &draft.step;
    step.method == "GET" && step.expect.status == 200 && step.body.is_none() && !draft.template.contains('{')
}

/// How well a path is known to answer once a service is ready, from 0.
fn health(template: &str) -> usize {
    let last = template.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    HEALTH.iter().position(|name| *name == last).unwrap_or(HEALTH.len())
}

/// Fills in the path, preferably with what an earlier step made, and gives a weight to what only reads.
fn finish(draft: Draft<'_>, made: &BTreeMap<(String, String), Made>, steps: &mut [Step]) -> Result<Step, String> {
    let Draft { template, base, mut filled, mut step, .. } = draft;
    let (mut is_example, mut captured) = (false, Vec::<Capture>::new());
    for (parent, name) in parameters(template) {
        let maker = made.get(&(base.clone(), parent.trim_end_matches('/').to_owned()));
        match maker.and_then(|maker| Some((maker.index, same(name, &maker.names)?))) {
            Some((index, part)) => {
                let known = capture_name(index, parent, part, steps, &captured);
                filled.path.insert(name.to_owned(), format!("${{{known}}}"));
                captured.push((index, known, pointer(part)));
            }
            None => is_example = true,
        }
    }
    step.path = format!("{base}{}", parameter::path(template, &filled.path)?);
    if !filled.query.is_empty() {
        step.path = format!("{}?{}", step.path, filled.query.join("&"));
    }
    for (index, known, pointer) in captured {
        steps[index].capture.insert(known, pointer);
    }
    if is_example {
        step.notes.push("What its path names is the description's example: the service must know it.".into());
    }
    match step.method.as_str() {
        "GET" | "HEAD" | "OPTIONS" => step.weight = Some(1),
        "PUT" | "PATCH" => {
            step.notes.push("No weight: it changes something. Give it one if it can be repeated.".into());
        }
        "DELETE" => step.notes.push("No weight: it can be sent only once.".into()),
        _ => step.notes.push("No weight: it may make something each time that it is sent.".into()),
    }
    Ok(step)
}

/// The parameters of a path, each with what stands before it.
fn parameters(template: &str) -> Vec<(&str, &str)> {
    let begins = template.match_indices('{').map(|(at, _)| at);
    begins.filter_map(|at| Some((&template[..at], template[at + 1..].split_once('}')?.0))).collect()
}

/// The part of an answer that a parameter of a path stands for: one of the same name, or `id`.
fn same<'n>(parameter: &str, names: &'n [String]) -> Option<&'n str> {
    let exact = names.iter().find(|name| *name == parameter);
    let is_id = parameter.to_ascii_lowercase().ends_with("id");
    exact.or_else(|| names.iter().find(|name| is_id && *name == "id")).map(String::as_str)
}

/// The JSON pointer to a part of an object.
fn pointer(part: &str) -> String {
    format!("/{}", part.replace('~', "~0").replace('/', "~1"))
}

/// A name for a part of an answer: the one that it has already, or a new one, as `things_id`.
fn capture_name(maker: usize, parent: &str, part: &str, steps: &[Step], new: &[Capture]) -> String {
    let pointer = pointer(part);
    if let Some((known, _)) = steps[maker].capture.iter().find(|(_, known)| **known == pointer) {
        return known.clone();
    }
    let last = parent.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let plain = |char: char| if char.is_ascii_alphanumeric() { char } else { '_' };
    let name: String = format!("{last}_{part}").chars().take(60).map(plain).collect();
    let taken = steps.iter().flat_map(|step| step.capture.keys()).chain(new.iter().map(|(_, name, _)| name));
    let taken: BTreeSet<&str> = taken.map(String::as_str).collect();
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name.as_str())).unwrap_or(name)
}

/// Comments out the steps that would delete what a step of the load reads.
fn switch_off(plan: &mut Plan, titles: &[String]) {
    let read: Vec<String> =
        plan.steps.iter().filter(|step| step.weight.is_some()).map(|step| step.bare_path().to_owned()).collect();
    let deleting = plan.steps.iter_mut().zip(titles).filter(|(step, _)| step.method == "DELETE");
    for (step, title) in deleting {
        let within = |path: &String| {
            path.strip_prefix(step.bare_path()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if read.iter().any(within) {
            let why =
                "it would delete what the load reads. Its step is commented out: let it delete something of its own";
            plan.left_out.push(format!("{title}: {why}"));
            step.notes.push(format!("Switched off: {why}."));
            step.is_off = true;
        }
    }
}

/// Makes a step the probe, and the first. A health check is no part of the load if there is anything else to read.
fn set_probe(steps: &mut [Step], index: usize, is_health: bool) {
    let others = steps.iter().enumerate().any(|(other, step)| other != index && step.weight.is_some());
    let probe = &mut steps[index];
    probe.probe = true;
    probe.notes.push("The probe: its right answer ends a start-up.".into());
    if is_health && others {
        probe.weight = None;
    }
    steps[..=index].rotate_right(1);
}
