//! A pass through a service's scenario: every request sent, every answer checked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;

use crate::workload::placeholders::{fill, fill_json};
use crate::workload::scenario::{Expect, Scenario, Step, difference};

/// What the steps captured, by name; `unique` is this pass's own value.
pub type Captures = BTreeMap<String, String>;

/// Sends every request of a scenario in order and checks every answer.
///
/// # Errors
/// The first request that was not answered rightly, by its name, with the difference.
pub async fn verify(scenario: &Scenario, addr: SocketAddr, unique: u64, timeout: Duration) -> Result<Captures> {
    // A connection of its own for each pass: nothing of it is left when the load begins.
    let client = reqwest::Client::builder().timeout(timeout).no_proxy().build()?;
    let mut captures = Captures::from([("unique".to_owned(), format!("{unique:016x}"))]);
    for step in &scenario.steps {
        let found = request(&client, step, addr, &captures).await;
        captures.extend(found.with_context(|| format!("request `{}` was not answered rightly", step.name))?);
    }
    Ok(captures)
}

async fn request(client: &reqwest::Client, step: &Step, addr: SocketAddr, captures: &Captures) -> Result<Captures> {
    let method = step.method.parse::<reqwest::Method>()?;
    let path = fill(&step.path, captures);
    let mut request = client.request(method, format!("http://{addr}{path}"));
    for (name, value) in step.raw_headers() {
        request = request.header(name, fill(&value, captures));
    }
    if let Some(body) = step.raw_body() {
        request = request.body(fill(&body, captures));
    }
    let response = request.send().await.with_context(|| format!("{} {path}", step.method))?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = body(response).await?;
    let answer = Answer { status, headers, body };
    answer.check(&step.expect, captures).with_context(|| {
        format!(
            "{} {path} gave {status} with the body `{}`",
            step.method,
            answer.body.chars().take(300).collect::<String>()
        )
    })?;
    answer.capture(step)
}

/// The most bytes of an answer that are read: as many as under load.
const MOST_BYTES: usize = tare_load::framing::MAX_ANSWER;

/// The body of an answer, as text.
async fn body(mut response: reqwest::Response) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        ensure!(bytes.len() <= MOST_BYTES, "the answer has more than {MOST_BYTES} bytes");
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: String,
}

impl Answer {
    fn check(&self, expect: &Expect, captures: &Captures) -> Result<()> {
        ensure!(self.status == expect.status, "the status is {} instead of {}", self.status, expect.status);
        for (name, expected) in &expect.headers {
            let found = self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            ensure!(found.starts_with(expected), "the header `{name}` is `{found}` instead of `{expected}`");
        }
        for needle in &expect.contains {
            let needle = fill(needle, captures);
            ensure!(self.body.contains(&needle), "the body does not contain `{needle}`");
        }
        if let Some(expected) = &expect.json {
            let found = self.json()?;
            if let Some(difference) = difference(&fill_json(expected, captures), &found) {
                return Err(anyhow!("{difference}"));
            }
        }
        Ok(())
    }

    fn capture(&self, step: &Step) -> Result<Captures> {
        let mut captured = Captures::new();
        for (name, pointer) in &step.capture {
            let body = self.json()?;
            let value = body.pointer(pointer).with_context(|| format!("the answer has no `{pointer}` to capture"))?;
            captured.insert(name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        Ok(captured)
    }

    fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).context("the body is not JSON")
    }
}
