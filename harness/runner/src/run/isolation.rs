//! Whether isolation holds: the intruder (services/intruder) is made ready and launched in each variant exactly as the
//! services are, and asked to do from inside what the variant claims to prevent. A plain process, which nothing keeps from
//! anything, shows that a probe can tell.

mod attempts;

use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::{Context, Result};
use tare_model::{FailedCell, IsolationCheck, Outcome, Violation};

use self::attempts::{Attempt, Canary};
use super::intruder::{intruder, is_probed};
use super::plan::Chosen;
use super::prepare::Prepared;
use crate::platforms::{Isolation, REFERENCE, RunContext, Variant, variants};

/// Probes each variant of which a subject is ready, once, and the plain process before them; tells of each. What does not
/// hold is a warning of the run; where the intruder cannot be probed at all, that is a failed cell of its own.
///
/// # Errors
/// When nothing can be laid out to be tried on. What goes wrong with a variant is on its record.
pub async fn probe(
    prepared: &Prepared<'_>,
    chosen: &[Chosen<'_>],
    failed: &mut Vec<FailedCell>,
    mut tell: impl FnMut(String),
) -> Result<Vec<IsolationCheck>> {
    let context = &prepared.context;
    let canary = Canary::new().await?;
    let mut checks: Vec<IsolationCheck> = Vec::new();
    let mut control = None;
    for variant in probed(chosen) {
        if context.cancel.is_set() {
            break;
        }
        let id = variant.entry().id();
        tell(format!("probe the isolation of {id}"));
        let isolation = variant.isolation();
        let result = attempts(context, variant, isolation, &canary).await;
        let error = result.as_ref().err().map(|error| format!("{error:#}"));
        let tried = result.unwrap_or_else(|error| unknown(&format!("{error:#}")));
        // The first of them is the plain process.
        let control = control.get_or_insert_with(|| tried.clone());
        if let Some(error) = error {
            let is_ready = prepared.ready.iter().any(|ready| ready.subject.variant_id() == id);
            if !is_ready {
                continue;
            }
            let reason = format!("its isolation could not be probed: {error}");
            failed.push(FailedCell { subject: intruder()?.subject(&id), group: None, round: None, reason });
        }
        let judged = tried.into_iter().map(|(violation, tried)| {
            let claimed = isolation.prevents.contains(&violation);
            let (outcome, detail) = judge(claimed, tried, &control[&violation]);
            IsolationCheck { variant: id.clone(), violation, claimed, outcome, detail }
        });
        checks.extend(judged);
    }
    for check in checks.iter().filter(|check| check.outcome == Outcome::Broken) {
        let IsolationCheck { variant, violation, detail, .. } = check;
        context.notes.warn(format!(
            "isolation does not hold: {variant} claims to prevent {}, and did not: {detail}",
            violation.name()
        ));
    }
    Ok(checks)
}

/// The variants to probe, each once, in the order of the registry: the plain process first, chosen or not.
fn probed(chosen: &[Chosen<'_>]) -> Vec<&'static dyn Variant> {
    let wanted: Vec<_> = chosen.iter().filter(|chosen| is_probed(chosen)).map(|it| it.variant.entry().id()).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let is_wanted = |variant: &&dyn Variant| {
        let id = variant.entry().id();
        id == REFERENCE.id() || wanted.contains(&id)
    };
    variants().map(|(_, variant)| variant).filter(is_wanted).collect()
}

/// What an attempt says of a variant, beside how a plain process fared with it.
fn judge(claimed: bool, tried: Attempt, control: &Attempt) -> (Outcome, String) {
    match (tried, control) {
        (Attempt::Unknown(why), _) => (Outcome::Void, why),
        (Attempt::Done(how), _) => (if claimed { Outcome::Broken } else { Outcome::Open }, how),
        (Attempt::Prevented(_), Attempt::Prevented(why)) => {
            (Outcome::Void, format!("a plain process did not do it on this machine either: {why}"))
        }
        (Attempt::Prevented(_), Attempt::Unknown(why)) => {
            (Outcome::Void, format!("whether a plain process could do it is not known: {why}"))
        }
        (Attempt::Prevented(how), Attempt::Done(_)) => (if claimed { Outcome::Held } else { Outcome::Closed }, how),
    }
}

/// Every violation as not tried, for one reason.
fn unknown(why: &str) -> BTreeMap<Violation, Attempt> {
    Violation::ALL.iter().map(|violation| (*violation, Attempt::Unknown(why.to_owned()))).collect()
}

/// Launches the intruder in a variant and has it try every violation.
async fn attempts(
    context: &Rc<RunContext>,
    variant: &dyn Variant,
    isolation: Isolation,
    canary: &Canary,
) -> Result<BTreeMap<Violation, Attempt>> {
    let intruder = intruder()?;
    let target = variant.prepare(context, intruder.workload()).await?;
    let mut instance = target.launch().await.context("the intruder did not start")?.instance;
    let tried = canary.attempt_all(instance.as_mut(), isolation).await;
    // Only dropped, a container would stay.
    let stopped = instance.stop().await;
    let tried = tried?;
    stopped.map(|()| tried)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_claimed_holds_or_is_broken_and_what_is_not_is_open_or_closed() {
        let (done, prevented) = (Attempt::Done("so".into()), Attempt::Prevented("no".into()));
        let judged = |claimed, tried: &Attempt| judge(claimed, tried.clone(), &done).0;
        assert_eq!([true, false].map(|claimed| judged(claimed, &prevented)), [Outcome::Held, Outcome::Closed]);
        assert_eq!([true, false].map(|claimed| judged(claimed, &done)), [Outcome::Broken, Outcome::Open]);
        assert_eq!(judged(true, &Attempt::Unknown(String::new())), Outcome::Void);
    }

    #[test]
    fn what_no_plain_process_did_shows_nothing_unless_another_does_it() {
        let prevented = Attempt::Prevented("not root".into());
        for control in [&prevented, &Attempt::Unknown("not root".into())] {
            let (outcome, detail) = judge(true, prevented.clone(), control);
            assert_eq!(outcome, Outcome::Void);
            assert!(detail.contains("a plain process") && detail.ends_with(": not root"), "{detail}");
            assert_eq!(judge(true, Attempt::Done(String::new()), control).0, Outcome::Broken);
        }
    }
}
