//! The attempts of the intruder: what they are made on, and how each went.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use tare_model::Deed;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::owner;
use crate::platforms::{Instance, Isolation, PIDS_LIMIT};

/// How long an attempt may take: longer than a host lets a request compute.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How long the end of an instance may come after that of its last connection.
const END_LAG: Duration = Duration::from_secs(3);

/// How an end by SIGKILL reads, by which the kernel ends who takes too much memory: by an engine, and by a starter.
const KILLED: [&str; 2] = ["(status 137)", "exit code 137"];

/// How long a connection may be on its way when its attempt has already been told of.
const CONNECT_LAG: Duration = Duration::from_millis(50);

/// A plain process takes memory that nothing limits only where this much is free, in bytes.
const FREE: u64 = 2 << 30;

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tried {
    Done(String),
    Prevented(String),
    /// The attempt itself went wrong, or was not made.
    Untold(String),
}

/// What an attempt is made on.
pub(super) struct Bait {
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

impl Bait {
    /// A file that everybody on this machine may read, and a listener on its loopback address.
    pub(super) async fn new() -> Result<Self> {
        let folder = tempfile::tempdir().context("no folder for a file that must not be read")?;
        let secret = folder.path().join("secret");
        let content = format!("{:032x}", fastrand::u128(..));
        fs_err::write(&secret, &content)?;
        fs_err::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))?;
        fs_err::set_permissions(&secret, PermissionsExt::from_mode(0o644))?;
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port on 127.0.0.1")?;
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

    /// Has every deed tried.
    pub(super) async fn attempt_all(
        &self,
        instance: &mut dyn Instance,
        isolation: Isolation,
    ) -> Result<BTreeMap<Deed, Tried>> {
        let client = Client::builder().timeout(TIMEOUT).no_proxy().build()?;
        let mut tried = BTreeMap::new();
        for &deed in Deed::ALL {
            let unlimited = deed == Deed::ExceedMemory && !isolation.prevents.contains(&deed);
            let attempt = if unlimited && !has_free_memory() {
                Tried::Untold(format!("less than {} MiB of memory are free: not tried", FREE >> 20))
            } else if deed == Deed::Connect {
                self.attempt_to_connect(self.attempt(&client, instance, deed, isolation)).await?
            } else {
                self.attempt(&client, instance, deed, isolation).await?
            };
            tried.insert(deed, attempt);
        }
        Ok(tried)
    }

    /// Has a deed tried, and believes what is told of it.
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
            Err(_) if deed == Deed::ExceedMemory && isolation.kills => return how_it_ended(instance).await,
            Err(error) => return Ok(Tried::Untold(format!("no answer: {:#}", anyhow::Error::from(error)))),
        };
        told(answer.status(), &answer.bytes().await?, &proof)
    }

    /// Has a connection tried. Who comes to the listener has done it, whatever is told of it; who does not, has not.
    async fn attempt_to_connect(&self, attempt: impl Future<Output = Result<Tried>>) -> Result<Tried> {
        let (told, came) = self.listen_during(attempt).await;
        if came {
            return Ok(Tried::Done(format!("the host's {} was reached", self.listener.local_addr()?)));
        }
        Ok(match told? {
            Tried::Done(how) => Tried::Prevented(format!("something else than the host's loopback was reached: {how}")),
            Tried::Prevented(how) => Tried::Prevented(format!("the host's loopback was not reached: {how}")),
            untold @ Tried::Untold(_) => untold,
        })
    }

    /// Answers everybody until something else is done; gives that, and whether anybody came.
    async fn listen_during<T>(&self, attempt: impl Future<Output = T>) -> (T, bool) {
        let mut attempt = pin!(attempt);
        let mut came = false;
        loop {
            tokio::select! {
                Ok((stream, _)) = self.listener.accept() => {
                    came = true;
                    tokio::spawn(answer(stream));
                }
                told = &mut attempt => {
                    came |= timeout(CONNECT_LAG, self.listener.accept()).await.is_ok_and(|accepted| accepted.is_ok());
                    return (told, came);
                }
            }
        }
    }
}

/// What an answer tells. The intruder itself tells what prevented a deed; where it cannot, the attempt failed.
fn told(status: StatusCode, answer: &[u8], proof: &str) -> Result<Tried> {
    if status != StatusCode::OK {
        return Ok(Tried::Untold(format!("the attempt ended with status {status}")));
    }
    let Answer { done, how } = serde_json::from_slice(answer).context("the intruder's answer is none")?;
    Ok(match done {
        true if how.contains(proof) => Tried::Done(how),
        true => Tried::Prevented(format!("done to something else of that name: {how}")),
        false => Tried::Prevented(how),
    })
}

/// Answers a request, so that nobody waits in vain. Who has come was noted already, and may go as it likes.
async fn answer(mut stream: TcpStream) {
    if stream.read(&mut [0; 1024]).await.is_ok_and(|bytes| bytes > 0) {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    }
}

/// How an instance ended whose connection broke: only a kill is what a limit on memory does.
async fn how_it_ended(instance: &mut dyn Instance) -> Result<Tried> {
    let deadline = Instant::now() + END_LAG;
    loop {
        if let Some(how) = instance.ended().await? {
            return Ok(if was_killed(&how) { Tried::Prevented(how) } else { Tried::Untold(how) });
        }
        if Instant::now() > deadline {
            return Ok(Tried::Untold("the connection broke, and it still runs".into()));
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Whether an end was one by SIGKILL. What the program itself wrote before is no witness.
fn was_killed(how: &str) -> bool {
    let end = how.split("; its last words").next().unwrap_or(how);
    KILLED.iter().any(|words| end.contains(words))
}

fn has_free_memory() -> bool {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    system.available_memory() >= FREE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn more_than_the_limit_is_asked_for() {
        let bait = Bait::new().await.unwrap();
        let lure = |deed, isolation| bait.lure(deed, isolation).unwrap().0.parse::<u32>().unwrap();
        assert_eq!(lure(Deed::ExceedMemory, Isolation::COMPONENT), 72);
        assert_eq!(lure(Deed::ExceedMemory, Isolation::CONTAINER), 576);
        assert_eq!(lure(Deed::ExceedMemory, Isolation::NONE), 576);
        assert_eq!(lure(Deed::ExceedTasks, Isolation::CONTAINER), 288);
    }

    #[test]
    fn an_attempt_that_failed_shows_nothing() {
        for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::GATEWAY_TIMEOUT, StatusCode::NOT_FOUND] {
            assert!(matches!(told(status, b"", "").unwrap(), Tried::Untold(_)), "{status}");
        }
        let read = br#"{"done":true,"how":"it holds `a`"}"#;
        assert_eq!(told(StatusCode::OK, read, "a").unwrap(), Tried::Done("it holds `a`".into()));
        assert!(matches!(told(StatusCode::OK, read, "b").unwrap(), Tried::Prevented(_)), "of another file");
    }

    #[tokio::test]
    async fn who_came_has_connected_whatever_is_told_and_nobody_else() {
        let bait = Bait::new().await.unwrap();
        let addr = bait.listener.local_addr().unwrap();
        let tried = [Tried::Done("so".into()), Tried::Prevented("no".into()), Tried::Untold("status 504".into())];
        for told in tried {
            let came = bait.attempt_to_connect(async {
                let answer = reqwest::get(format!("http://{addr}")).await?;
                assert_eq!(answer.status(), StatusCode::OK, "nobody waits in vain");
                Ok(told.clone())
            });
            assert_eq!(came.await.unwrap(), Tried::Done(format!("the host's {addr} was reached")));
            let stayed = bait.attempt_to_connect(async { Ok(told.clone()) }).await.unwrap();
            assert_eq!(matches!(stayed, Tried::Untold(_)), matches!(told, Tried::Untold(_)), "{stayed:?}");
            assert!(!matches!(stayed, Tried::Done(_)), "{stayed:?}");
        }
    }

    #[test]
    fn only_a_kill_is_the_doing_of_a_limit_on_memory() {
        assert!(was_killed("it went over its memory limit and was killed (status 137)"));
        assert!(was_killed("it ended: exit code 137; its last words: none"));
        for other in ["it ended: exit code 134; its last words: (status 137)", "it was ended by signal 11"] {
            assert!(!was_killed(other), "{other}");
        }
    }
}
