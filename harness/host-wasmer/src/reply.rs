//! The answer to one request, on its way from the thread that runs the instance to the task that holds the connection.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Response, StatusCode};
use tare_host::body::Cut;
use tare_host::failure::Failure;
use tokio::sync::oneshot;

use crate::pipe::Reader;

/// A head and, unless the component wrote none, a body.
pub type GuestResponse = Response<Option<Reader>>;

/// What a component answers: a response, or why it has none.
pub type GuestAnswer = Result<GuestResponse, String>;

/// What the connection gets.
pub type Outcome = Result<GuestResponse, Failure>;

/// Holds an answer back until it is worth a change of threads: when the instance has ended, waits for something, or
/// computes for long after it has answered. Most have ended by then, and their answer crosses once, whole.
#[derive(Debug)]
pub struct Reply {
    cut: Cut,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    answer: Option<GuestAnswer>,
    receiver: Option<oneshot::Sender<Outcome>>,
}

impl Reply {
    /// For the request whose connection waits for this.
    pub fn new(receiver: oneshot::Sender<Outcome>, cut: Cut) -> Self {
        Self { cut, inner: Mutex::new(Inner { answer: None, receiver: Some(receiver) }) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The component answers; the first answer counts.
    pub fn set(&self, answer: GuestAnswer) {
        self.lock().answer.get_or_insert(answer);
    }

    /// Hands over the answer, if there is one and it was not handed over yet.
    pub fn release(&self) {
        let mut inner = self.lock();
        if inner.receiver.is_none() {
            return;
        }
        if let Some(answer) = inner.answer.take() {
            self.send(&mut inner, answer.map_err(Failure::Refused));
        }
    }

    /// The instance has ended. Returns its failure if the answer was sent before, so that no answer can tell it.
    pub fn end(&self, ended: Result<(), Failure>) -> Option<Failure> {
        let mut inner = self.lock();
        if inner.receiver.is_none() {
            return ended.err();
        }
        let outcome = match (ended, inner.answer.take()) {
            (Err(failure), _) => Err(failure),
            (Ok(()), Some(answer)) => answer.map_err(Failure::Refused),
            (Ok(()), None) => Err(Failure::NoAnswer),
        };
        self.send(&mut inner, outcome);
        None
    }

    fn send(&self, inner: &mut Inner, outcome: Outcome) {
        let outcome = self.cut.failure().map_or(outcome, Err);
        if let Some(receiver) = inner.receiver.take() {
            // The client may have left.
            let _ = receiver.send(outcome);
        }
    }
}

/// A head with nothing in it.
pub fn empty(status: StatusCode) -> GuestResponse {
    let mut response = Response::new(None);
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply() -> (Reply, oneshot::Receiver<Outcome>) {
        let (sender, receiver) = oneshot::channel();
        (Reply::new(sender, Cut::default()), receiver)
    }

    #[test]
    fn an_answer_is_held_until_it_is_released() {
        let (reply, mut receiver) = reply();
        reply.release();
        reply.set(Ok(empty(StatusCode::CREATED)));
        reply.set(Ok(empty(StatusCode::OK)));
        assert!(receiver.try_recv().is_err());
        reply.release();
        assert_eq!(receiver.try_recv().unwrap().unwrap().status(), StatusCode::CREATED, "the first counts");
        assert!(matches!(reply.end(Err(Failure::TooSlow)), Some(Failure::TooSlow)), "it cannot be told any more");
    }

    #[test]
    fn a_failure_before_the_answer_was_released_is_the_answer() {
        let (failed, mut receiver) = reply();
        failed.set(Ok(empty(StatusCode::OK)));
        assert!(failed.end(Err(Failure::TooSlow)).is_none());
        assert!(matches!(receiver.try_recv().unwrap(), Err(Failure::TooSlow)));
        let (silent, mut receiver) = reply();
        assert!(silent.end(Ok(())).is_none());
        assert!(matches!(receiver.try_recv().unwrap(), Err(Failure::NoAnswer)));
    }
}
