//! Whether isolation holds: the intruder (services/intruder) is made ready and launched in each setting exactly as the
//! services are, and asked to do from inside what the setting claims to prevent. A plain process, which nothing keeps from
//! anything, shows that a probe can tell.

mod attempts;

use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::{Context, Result};
use tare_model::{Deed, FailedCell, IsolationCheck, Outcome, Subject};

use self::attempts::{Bait, Tried};
use crate::layout::Service;
use crate::platforms::{Isolation, PLATFORMS, Platform, REFERENCE, Role, Variant, World};
use crate::prepare::Prepared;

/// The intruder's name, and its folder's under services/.
pub const INTRUDER: &str = "intruder";

/// It is only asked whether it runs: no load is there to have an objective.
const SCENARIO: &str = r#"
summary = "tries what isolation should prevent"
p99_objective_ms = 10.0
[[step]]
name = "health"
method = "GET"
path = "/healthz"
probe = true
expect = { status = 200 }
"#;

/// Whether a variant is probed: controls are not there to be chosen, and the noise is the reference once more.
pub fn is_probed(variant: &Variant) -> bool {
    matches!(variant.role, Role::Headline | Role::Setting)
}

/// Probes each setting of which a subject is ready, once, and the plain process before them; tells of each. What does not
/// hold is a warning of the run; where the intruder cannot be probed at all, that is a failed cell of its own.
///
/// # Errors
/// When nothing can be laid out to be tried on. What goes wrong with a setting is on its record.
pub async fn probe(
    prepared: &Prepared<'_>,
    failed: &mut Vec<FailedCell>,
    mut tell: impl FnMut(String),
) -> Result<Vec<IsolationCheck>> {
    let world = &prepared.world;
    let bait = Bait::new().await?;
    let mut checks: Vec<IsolationCheck> = Vec::new();
    let mut control = None;
    for (platform, variant) in settings(prepared) {
        if world.cancel.is_set() {
            break;
        }
        let setting = platform.setting(variant);
        tell(format!("probe the isolation of {setting}"));
        let isolation = platform.isolation(variant);
        let result = attempts(world, platform, variant, isolation, &bait).await;
        let error = result.as_ref().err().map(|error| format!("{error:#}"));
        let tried = result.unwrap_or_else(|error| untold(&format!("{error:#}")));
        // The first of them is the plain process.
        let control = control.get_or_insert_with(|| tried.clone());
        if let Some(error) = error {
            if !is_ready(prepared, platform, variant) {
                continue;
            }
            let subject = Subject::new(INTRUDER, platform.name(), variant.name);
            let reason = format!("its isolation could not be probed: {error}");
            failed.push(FailedCell { subject, group: None, round: None, reason });
        }
        let judged = tried.into_iter().map(|(deed, tried)| {
            let claimed = isolation.prevents.contains(&deed);
            let (outcome, detail) = judge(claimed, tried, &control[&deed]);
            IsolationCheck { setting: setting.clone(), deed, claimed, outcome, detail }
        });
        checks.extend(judged);
    }
    for check in checks.iter().filter(|check| check.outcome == Outcome::Broken) {
        let IsolationCheck { setting, deed, detail, .. } = check;
        world.warn(format!(
            "isolation does not hold: {setting} claims to prevent {}, and did not: {detail}",
            deed.name()
        ));
    }
    Ok(checks)
}

/// The settings to probe, each once, in the order of the registry: the plain process first, chosen or not.
fn settings(prepared: &Prepared<'_>) -> Vec<(&'static dyn Platform, &'static Variant)> {
    let of = |platform: &'static dyn Platform| platform.variants().iter().map(move |variant| (platform, variant));
    let wanted = |(platform, variant): &(&dyn Platform, &Variant)| {
        (platform.name(), variant.name) == REFERENCE || is_probed(variant) && is_ready(prepared, *platform, variant)
    };
    PLATFORMS.iter().flat_map(|platform| of(*platform)).filter(wanted).collect()
}

/// Whether a subject is ready in a setting.
fn is_ready(prepared: &Prepared<'_>, platform: &dyn Platform, variant: &Variant) -> bool {
    let setting = (platform.name(), variant.name);
    prepared.ready.iter().any(|ready| (ready.chosen.platform.name(), ready.chosen.variant.name) == setting)
}

/// What an attempt says of a setting, beside how a plain process fared with it.
fn judge(claimed: bool, tried: Tried, control: &Tried) -> (Outcome, String) {
    match (tried, control) {
        (Tried::Untold(why), _) => (Outcome::Void, why),
        (Tried::Done(how), _) => (if claimed { Outcome::Broken } else { Outcome::Open }, how),
        (Tried::Prevented(_), Tried::Prevented(why)) => {
            (Outcome::Void, format!("a plain process did not do it on this machine either: {why}"))
        }
        (Tried::Prevented(_), Tried::Untold(why)) => {
            (Outcome::Void, format!("whether a plain process could do it is not known: {why}"))
        }
        (Tried::Prevented(how), Tried::Done(_)) => (if claimed { Outcome::Held } else { Outcome::Closed }, how),
    }
}

/// Every deed as not tried, for one reason.
fn untold(why: &str) -> BTreeMap<Deed, Tried> {
    Deed::ALL.iter().map(|deed| (*deed, Tried::Untold(why.to_owned()))).collect()
}

/// Launches the intruder in a setting and has it try every deed.
async fn attempts(
    world: &Rc<World>,
    platform: &dyn Platform,
    variant: &Variant,
    isolation: Isolation,
    bait: &Bait,
) -> Result<BTreeMap<Deed, Tried>> {
    let target = platform.prepare(world, &intruder()?, variant).await?;
    let mut instance = target.launch().await.context("the intruder did not start")?.instance;
    let tried = bait.attempt_all(instance.as_mut(), isolation).await;
    // Only dropped, a container would stay.
    let stopped = instance.stop().await;
    let tried = tried?;
    stopped.map(|()| tried)
}

/// The intruder as a service.
fn intruder() -> Result<Service> {
    let scenario = toml::from_str(SCENARIO).context("the intruder's scenario is none")?;
    Ok(Service { name: INTRUDER.into(), scenario })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_claimed_holds_or_is_broken_and_what_is_not_is_open_or_closed() {
        let (done, prevented) = (Tried::Done("so".into()), Tried::Prevented("no".into()));
        let judged = |claimed, tried: &Tried| judge(claimed, tried.clone(), &done).0;
        assert_eq!([true, false].map(|claimed| judged(claimed, &prevented)), [Outcome::Held, Outcome::Closed]);
        assert_eq!([true, false].map(|claimed| judged(claimed, &done)), [Outcome::Broken, Outcome::Open]);
        assert_eq!(judged(true, &Tried::Untold(String::new())), Outcome::Void);
    }

    #[test]
    fn what_no_plain_process_did_shows_nothing_unless_another_does_it() {
        let prevented = Tried::Prevented("not root".into());
        for control in [&prevented, &Tried::Untold("not root".into())] {
            let (outcome, detail) = judge(true, prevented.clone(), control);
            assert_eq!(outcome, Outcome::Void);
            assert!(detail.contains("a plain process") && detail.ends_with(": not root"), "{detail}");
            assert_eq!(judge(true, Tried::Done(String::new()), control).0, Outcome::Broken);
        }
    }
}
