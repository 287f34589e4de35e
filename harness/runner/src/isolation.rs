//! Whether isolation holds: the intruder (services/intruder) is made ready and launched in each setting exactly as the
//! services are, and asked to do from inside what the setting claims to prevent. A plain process, which nothing keeps from
//! anything, shows that a probe can tell.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use tare_model::{Deed, FailedCell, IsolationCheck, Outcome, Subject};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::layout::Service;
use crate::owner;
use crate::platforms::{Instance, Isolation, PIDS_LIMIT, Platform, REFERENCE, Role, Variant, World};
use crate::prepare::Prepared;
use crate::scenario::{Expect, Scenario, Step};

/// The intruder's name, and its folder's under services/.
pub const INTRUDER: &str = "intruder";

/// How long an attempt may take: longer than a host lets a request compute.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How long the end of an instance may come after that of its last connection.
const END_LAG: Duration = Duration::from_secs(3);

/// A plain process takes memory that nothing limits only where this much is free, in bytes.
const FREE: u64 = 2 << 30;

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tried {
    Done(String),
    Prevented(String),
    /// The attempt itself went wrong, or was not made.
    Untold(String),
}

/// What an attempt is made on.
struct Bait {
    _folder: TempDir,
    secret: PathBuf,
    content: String,
    listener: TcpListener,
}

/// What the intruder answers.
#[derive(Deserialize)]
struct Answer {
    done: bool,
    how: String,
}

/// Whether a variant is probed: controls are not there to be chosen, and the noise is the reference once more.
pub fn is_probed(variant: &Variant) -> bool {
    matches!(variant.role, Role::Headline | Role::Setting)
}

/// Probes each setting of which a subject is ready, once; tells of each. What does not hold is a warning of the run; where
/// the intruder cannot be probed at all, that is a failed cell of its own.
///
/// # Errors
/// When nothing can be laid out to be tried on. What goes wrong with a setting is on its record.
pub async fn probe(
    prepared: &Prepared<'_>,
    failed: &mut Vec<FailedCell>,
    mut tell: impl FnMut(String),
) -> Result<Vec<IsolationCheck>> {
    let world = &prepared.world;
    let bait = Bait::new()?;
    let mut checks: Vec<IsolationCheck> = Vec::new();
    let mut control = None;
    for (platform, variant) in settings(prepared) {
        if world.cancel.is_set() {
            break;
        }
        let setting = platform.setting(variant);
        tell(format!("probe the isolation of {setting}"));
        let isolation = platform.isolation(variant);
        let tried = match attempts(world, platform, variant, &bait).await {
            Ok(tried) => tried,
            Err(error) => {
                let subject = Subject::new(INTRUDER, platform.name(), variant.name);
                let reason = format!("its isolation could not be probed: {error:#}");
                failed.push(FailedCell { subject, group: None, round: None, reason });
                Deed::ALL.iter().map(|deed| (*deed, Tried::Untold(format!("{error:#}")))).collect()
            }
        };
        if (platform.name(), variant.name) == REFERENCE {
            control = Some(tried.clone());
        }
        let judged = tried.into_iter().map(|(deed, tried)| {
            let claimed = isolation.prevents.contains(&deed);
            let (outcome, detail) = judge(claimed, tried, control.as_ref().map(|control| &control[&deed]));
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

/// The settings to probe, each once, in the order of the registry: the plain process first.
fn settings(prepared: &Prepared<'_>) -> Vec<(&'static dyn Platform, &'static Variant)> {
    let mut settings: Vec<(&'static dyn Platform, &'static Variant)> = Vec::new();
    for ready in &prepared.ready {
        let (platform, variant) = (ready.chosen.platform, ready.chosen.variant);
        let known =
            |(other, its): &(&dyn Platform, &Variant)| (other.name(), its.name) == (platform.name(), variant.name);
        if is_probed(variant) && !settings.iter().any(known) {
            settings.push((platform, variant));
        }
    }
    settings
}

/// What an attempt says of a setting, beside how a plain process fared with it.
fn judge(claimed: bool, tried: Tried, control: Option<&Tried>) -> (Outcome, String) {
    match (tried, control) {
        (Tried::Untold(why), _) => (Outcome::Void, why),
        (Tried::Done(how), _) => (if claimed { Outcome::Broken } else { Outcome::Open }, how),
        (Tried::Prevented(_), Some(Tried::Prevented(why) | Tried::Untold(why))) => {
            (Outcome::Void, format!("a plain process did not do it on this machine either: {why}"))
        }
        (Tried::Prevented(how), _) => (if claimed { Outcome::Held } else { Outcome::Closed }, how),
    }
}

/// Launches the intruder in a setting and has it try every deed.
async fn attempts(
    world: &Rc<World>,
    platform: &dyn Platform,
    variant: &Variant,
    bait: &Bait,
) -> Result<BTreeMap<Deed, Tried>> {
    let target = platform.prepare(world, &intruder(), variant).await?;
    let mut instance = target.launch().await.context("the intruder did not start")?.instance;
    let isolation = platform.isolation(variant);
    let client = Client::builder().timeout(TIMEOUT).no_proxy().build()?;
    let mut tried = BTreeMap::new();
    for &deed in Deed::ALL {
        let unlimited = deed == Deed::ExceedMemory && !isolation.prevents.contains(&deed);
        let attempt = if unlimited && !has_free_memory() {
            Tried::Untold(format!("less than {} MiB of memory are free: not tried", FREE >> 20))
        } else {
            bait.attempt(&client, instance.as_mut(), deed, isolation).await?
        };
        tried.insert(deed, attempt);
    }
    instance.stop().await?;
    Ok(tried)
}

/// The intruder as a service: it is only asked whether it runs.
fn intruder() -> Service {
    let health = Step {
        name: "health".into(),
        method: "GET".into(),
        path: "/healthz".into(),
        headers: BTreeMap::new(),
        json: None,
        body: None,
        expect: Expect { status: 200, ..Expect::default() },
        capture: BTreeMap::new(),
        weight: None,
        probe: true,
    };
    let scenario = Scenario {
        summary: "tries what isolation should prevent".into(),
        p99_objective_ms: 10.0,
        typical: false,
        env: BTreeMap::new(),
        steps: vec![health],
    };
    Service { name: INTRUDER.into(), scenario }
}

fn has_free_memory() -> bool {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    system.available_memory() >= FREE
}

impl Bait {
    /// A file that everybody on this machine may read, and a listener on its loopback address.
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir().context("no folder for a file that must not be read")?;
        let secret = folder.path().join("secret");
        let content = format!("{:032x}", fastrand::u128(..));
        fs_err::write(&secret, &content)?;
        fs_err::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))?;
        fs_err::set_permissions(&secret, PermissionsExt::from_mode(0o644))?;
        let listener = TcpListener::bind("127.0.0.1:0").context("no free port on 127.0.0.1")?;
        Ok(Self { _folder: folder, secret, content, listener })
    }

    /// What a deed is done to, and what must be told of it to believe that it was.
    fn lure(&self, deed: Deed, isolation: Isolation) -> Result<(String, String)> {
        // An eighth more than there may be.
        let mebibytes = (isolation.memory_limit + isolation.memory_limit / 8) >> 20;
        Ok(match deed {
            Deed::ReadFile => (self.secret.display().to_string(), self.content.clone()),
            Deed::SeeEnvironment => (owner::ENV.into(), owner::me().to_string()),
            Deed::Connect => (self.listener.local_addr()?.to_string(), String::new()),
            Deed::WriteRoot | Deed::GainPrivileges => Default::default(),
            Deed::ExceedMemory => (mebibytes.to_string(), String::new()),
            Deed::ExceedTasks => ((PIDS_LIMIT + PIDS_LIMIT / 8).to_string(), String::new()),
        })
    }

    /// Has a deed tried.
    async fn attempt(
        &self,
        client: &Client,
        instance: &mut dyn Instance,
        deed: Deed,
        isolation: Isolation,
    ) -> Result<Tried> {
        let (with, proof) = self.lure(deed, isolation)?;
        let url = format!("http://{}/deeds/{}", instance.addr(), deed.name());
        let answer = match client.get(Url::parse_with_params(&url, [("with", with)])?).send().await {
            Ok(answer) => answer,
            Err(error) if error.is_timeout() => return Ok(Tried::Untold(format!("no answer within {TIMEOUT:?}"))),
            // Who takes too much memory is killed.
            Err(_) if deed == Deed::ExceedMemory => return how_it_ended(instance).await,
            Err(error) => return Ok(Tried::Untold(format!("no answer: {:#}", anyhow::Error::from(error)))),
        };
        match answer.status() {
            StatusCode::OK => {}
            // Whoever ran the request has ended it.
            status if status.is_server_error() => return Ok(Tried::Prevented(format!("ended with status {status}"))),
            status => return Ok(Tried::Untold(format!("refused with status {status}"))),
        }
        let Answer { done, how } = answer.json().await.context("the intruder's answer is none")?;
        Ok(match done {
            true if how.contains(&proof) => Tried::Done(how),
            true => Tried::Prevented(format!("done to something else of that name: {how}")),
            false => Tried::Prevented(how),
        })
    }
}

/// How an instance ended whose connection broke.
async fn how_it_ended(instance: &mut dyn Instance) -> Result<Tried> {
    let deadline = Instant::now() + END_LAG;
    loop {
        if let Some(how) = instance.ended().await? {
            return Ok(Tried::Prevented(how));
        }
        if Instant::now() > deadline {
            return Ok(Tried::Untold("the connection broke, and it still runs".into()));
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_claimed_holds_or_is_broken_and_what_is_not_is_open_or_closed() {
        let (done, prevented) = (Tried::Done("so".into()), Tried::Prevented("no".into()));
        let judged = |claimed, tried: &Tried| judge(claimed, tried.clone(), Some(&done)).0;
        assert_eq!([true, false].map(|claimed| judged(claimed, &prevented)), [Outcome::Held, Outcome::Closed]);
        assert_eq!([true, false].map(|claimed| judged(claimed, &done)), [Outcome::Broken, Outcome::Open]);
    }

    #[test]
    fn what_a_plain_process_cannot_do_shows_nothing_unless_another_does_it() {
        let prevented = Tried::Prevented("not root".into());
        for control in [&prevented, &Tried::Untold("not root".into())] {
            let (outcome, detail) = judge(true, prevented.clone(), Some(control));
            assert_eq!(outcome, Outcome::Void);
            assert!(detail.ends_with("either: not root"), "{detail}");
            assert_eq!(judge(true, Tried::Done(String::new()), Some(control)).0, Outcome::Broken);
        }
        assert_eq!(judge(true, prevented, None).0, Outcome::Held, "without a control it is believed");
        assert_eq!(judge(true, Tried::Untold(String::new()), None).0, Outcome::Void);
    }

    #[test]
    fn more_than_the_limit_is_asked_for() {
        let bait = Bait::new().unwrap();
        let lure = |deed, isolation| bait.lure(deed, isolation).unwrap().0.parse::<u32>().unwrap();
        assert_eq!(lure(Deed::ExceedMemory, Isolation::COMPONENT), 72);
        assert_eq!(lure(Deed::ExceedMemory, Isolation::CONTAINER), 576);
        assert_eq!(lure(Deed::ExceedMemory, Isolation::NONE), 576);
        assert_eq!(lure(Deed::ExceedTasks, Isolation::CONTAINER), 288);
    }
}
