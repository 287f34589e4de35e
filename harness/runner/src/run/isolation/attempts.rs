//! The attempts of the intruder: what they are made on, and how each went.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use tare_model::Violation;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::platforms::{Instance, Isolation, PIDS_LIMIT};
use crate::sys::{owner, temporary};

/// How long an attempt may take: longer than a host lets a request compute.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How long the end of an instance may come after that of its last connection.
const END_LAG: Duration = Duration::from_secs(3);

/// How long a connection may be on its way when its attempt has already been told of.
const CONNECT_LAG: Duration = Duration::from_millis(50);

/// A plain process takes memory that nothing limits only where this much is free, in bytes.
const FREE: u64 = 2 << 30;

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attempt {
    Done(String),
    Prevented(String),
    /// The attempt itself went wrong, or was not made.
    Unknown(String),
}

/// What an attempt is made on.
pub(super) struct Canary {
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

impl Canary {
    /// A file that everybody on this machine may read, and a listener on its loopback address.
    pub(super) async fn new() -> Result<Self> {
        let folder = temporary::folder().context("no folder for a file that must not be read")?;
        let secret = folder.path().join("secret");
        let content = format!("{:032x}", fastrand::u128(..));
        fs_err::write(&secret, &content)?;
        fs_err::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))?;
        fs_err::set_permissions(&secret, PermissionsExt::from_mode(0o644))?;
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port on 127.0.0.1")?;
        Ok(Self { _folder: folder, secret, content, listener })
    }

    /// What a violation is done to, and what must be told of it to believe that it was.
    fn target_of(&self, violation: Violation, isolation: Isolation) -> Result<(String, String)> {
        // An eighth more than there may be.
        let mebibytes = (isolation.memory_limit + isolation.memory_limit / 8) >> 20;
        Ok(match violation {
            Violation::ReadFile => (self.secret.display().to_string(), self.content.clone()),
            Violation::SeeEnvironment => (owner::ENV.into(), owner::me().to_string()),
            Violation::Connect => (self.listener.local_addr()?.to_string(), String::new()),
            Violation::WriteRoot | Violation::GainPrivileges => Default::default(),
            Violation::ExceedMemory => (mebibytes.to_string(), String::new()),
            Violation::ExceedTasks => ((PIDS_LIMIT + PIDS_LIMIT / 8).to_string(), String::new()),
        })
    }

    /// Has every violation tried.
    pub(super) async fn attempt_all(
        &self,
        instance: &mut dyn Instance,
        isolation: Isolation,
    ) -> Result<BTreeMap<Violation, Attempt>> {
        let client = Client::builder().timeout(TIMEOUT).no_proxy().build()?;
        let mut tried = BTreeMap::new();
        for &violation in Violation::ALL {
            let unlimited = violation == Violation::ExceedMemory && !isolation.prevents.contains(&violation);
            let attempt = if unlimited && !has_free_memory() {
                Attempt::Unknown(format!("less than {} MiB of memory are free: not tried", FREE >> 20))
            } else if violation == Violation::Connect {
                self.attempt_to_connect(self.attempt(&client, instance, violation, isolation)).await?
            } else {
                self.attempt(&client, instance, violation, isolation).await?
            };
            tried.insert(violation, attempt);
        }
        Ok(tried)
    }

    /// Has a violation tried, and believes what is told of it.
    async fn attempt(
        &self,
        client: &Client,
        instance: &mut dyn Instance,
        violation: Violation,
        isolation: Isolation,
    ) -> Result<Attempt> {
        let (with, proof) = self.target_of(violation, isolation)?;
        let url = format!("http://{}/deeds/{}", instance.addr(), violation.name());
        let answer = match client.get(Url::parse_with_params(&url, [("with", with)])?).send().await {
            Ok(answer) => answer,
            Err(error) if error.is_timeout() => return Ok(Attempt::Unknown(format!("no answer within {TIMEOUT:?}"))),
            Err(_) if violation == Violation::ExceedMemory && isolation.kills => return how_it_ended(instance).await,
            Err(error) => return Ok(Attempt::Unknown(format!("no answer: {:#}", anyhow::Error::from(error)))),
        };
        told(answer.status(), &answer.bytes().await?, &proof)
    }

    /// Has a connection tried. What counts is whether it reached the listener, not what the intruder says.
    async fn attempt_to_connect(&self, attempt: impl Future<Output = Result<Attempt>>) -> Result<Attempt> {
        let (told, came) = self.listen_during(attempt).await;
        if came {
            return Ok(Attempt::Done(format!("the host's {} was reached", self.listener.local_addr()?)));
        }
        Ok(match told? {
            Attempt::Done(how) => {
                Attempt::Prevented(format!("something else than the host's loopback was reached: {how}"))
            }
            Attempt::Prevented(how) => Attempt::Prevented(format!("the host's loopback was not reached: {how}")),
            unknown @ Attempt::Unknown(_) => unknown,
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

/// What an answer tells. The intruder itself tells what prevented a violation; where it cannot, the attempt failed.
fn told(status: StatusCode, answer: &[u8], proof: &str) -> Result<Attempt> {
    if status != StatusCode::OK {
        return Ok(Attempt::Unknown(format!("the attempt ended with status {status}")));
    }
    let Answer { done, how } = serde_json::from_slice(answer).context("the intruder's answer is none")?;
    Ok(match done {
        true if how.contains(proof) => Attempt::Done(how),
        true => Attempt::Prevented(format!("done to something else of that name: {how}")),
        false => Attempt::Prevented(how),
    })
}

/// Answers a request, so that nobody waits in vain. Who has come was noted already, and may go as it likes.
async fn answer(mut stream: TcpStream) {
    if stream.read(&mut [0; 1024]).await.is_ok_and(|bytes| bytes > 0) {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    }
}

/// How an instance ended whose connection broke: only a kill is what a limit on memory does.
async fn how_it_ended(instance: &mut dyn Instance) -> Result<Attempt> {
    let deadline = Instant::now() + END_LAG;
    loop {
        if let Some(end) = instance.ended().await? {
            let how = end.to_string();
            return Ok(if end.was_killed() { Attempt::Prevented(how) } else { Attempt::Unknown(how) });
        }
        if Instant::now() > deadline {
            return Ok(Attempt::Unknown("the connection broke, and it still runs".into()));
        }
        sleep(Duration::from_millis(20)).await;
    }
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
        let canary = Canary::new().await.unwrap();
        let target_of =
            |violation, isolation| canary.target_of(violation, isolation).unwrap().0.parse::<u32>().unwrap();
        assert_eq!(target_of(Violation::ExceedMemory, Isolation::COMPONENT), 72);
        assert_eq!(target_of(Violation::ExceedMemory, Isolation::CONTAINER), 576);
        assert_eq!(target_of(Violation::ExceedMemory, Isolation::NONE), 576);
        assert_eq!(target_of(Violation::ExceedTasks, Isolation::CONTAINER), 288);
    }

    #[test]
    fn an_attempt_that_failed_shows_nothing() {
        for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::GATEWAY_TIMEOUT, StatusCode::NOT_FOUND] {
            assert!(matches!(told(status, b"", "").unwrap(), Attempt::Unknown(_)), "{status}");
        }
        let read = br#"{"done":true,"how":"it holds `a`"}"#;
        assert_eq!(told(StatusCode::OK, read, "a").unwrap(), Attempt::Done("it holds `a`".into()));
        assert!(matches!(told(StatusCode::OK, read, "b").unwrap(), Attempt::Prevented(_)), "of another file");
    }

    #[tokio::test]
    async fn who_came_has_connected_whatever_is_told_and_nobody_else() {
        let canary = Canary::new().await.unwrap();
        let addr = canary.listener.local_addr().unwrap();
        let tried =
            [Attempt::Done("so".into()), Attempt::Prevented("no".into()), Attempt::Unknown("status 504".into())];
        for told in tried {
            let came = canary.attempt_to_connect(async {
                let answer = reqwest::get(format!("http://{addr}")).await?;
                assert_eq!(answer.status(), StatusCode::OK, "nobody waits in vain");
                Ok(told.clone())
            });
            assert_eq!(came.await.unwrap(), Attempt::Done(format!("the host's {addr} was reached")));
            let stayed = canary.attempt_to_connect(async { Ok(told.clone()) }).await.unwrap();
            assert_eq!(matches!(stayed, Attempt::Unknown(_)), matches!(told, Attempt::Unknown(_)), "{stayed:?}");
            assert!(!matches!(stayed, Attempt::Done(_)), "{stayed:?}");
        }
    }
}
