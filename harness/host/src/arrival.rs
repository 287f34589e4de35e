//! The body of a request on its way in: what has come of it before the request runs, and how long its client may take.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use crate::admission::Place;
use crate::body::{BodyError, BoundedBody, RequestBody};

/// What is next of a body.
type Next = Option<Result<Frame<Bytes>, BodyError>>;

/// The body of a request: what has come of it, and the rest as it comes.
#[derive(Debug)]
pub struct ArrivingBody<B> {
    came: VecDeque<Frame<Bytes>>,
    /// How much has come in all, in bytes.
    length: usize,
    rest: Remaining<B>,
}

/// What has not come of a body.
#[derive(Debug)]
enum Remaining<B> {
    /// Nothing.
    Nothing,
    /// Its request does not run yet.
    Waiting(Rest<B>),
    /// Its request runs, or has run: then nothing is in there.
    Running(Arc<Mutex<Option<Rest<B>>>>),
}

#[derive(Debug)]
struct Rest<B> {
    body: BoundedBody<B>,
    patience: Option<Patience>,
    /// The right to run while this is under way, held for its drop.
    _place: Option<Place>,
}

/// Ends a body with the run of its request. A component may keep its handle and be kept for other requests: that must keep
/// neither the connection nor a place.
struct EndOfRun<B>(Arc<Mutex<Option<Rest<B>>>>);

impl<B> Drop for EndOfRun<B> {
    fn drop(&mut self) {
        lock(&self.0).take();
    }
}

fn lock<B>(rest: &Mutex<Option<Rest<B>>>) -> MutexGuard<'_, Option<Rest<B>>> {
    rest.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a client may send nothing while its body is waited for.
#[derive(Debug)]
struct Patience {
    most: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
}

impl<B: RequestBody> ArrivingBody<B> {
    /// A body of which nothing was read.
    pub(crate) fn new(body: BoundedBody<B>) -> Self {
        let rest = if body.is_end_stream() {
            Remaining::Nothing
        } else {
            Remaining::Waiting(Rest { body, patience: None, _place: None })
        };
        Self { came: VecDeque::new(), length: 0, rest }
    }

    /// Takes in what came along with the head. Returns whether that is all of it, or at least as many bytes as `most`.
    ///
    /// The connection has read it, and hands it over at its next turn. So there is no timer for it, and most bodies end here.
    ///
    /// # Errors
    /// It breaks off, or is longer than it may be.
    pub(crate) async fn came_along(&mut self, most: usize) -> Result<bool, BodyError> {
        let mut turned = false;
        std::future::poll_fn(|cx| match self.poll_gather(most, cx) {
            Poll::Pending if std::mem::replace(&mut turned, true) => Poll::Ready(Ok(false)),
            Poll::Pending => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            ready @ Poll::Ready(_) => ready,
        })
        .await
    }

    /// Takes in what comes, until that is all of it, or at least as many bytes as `most`. From now on a client that sends
    /// nothing for so long ends its body.
    ///
    /// # Errors
    /// It breaks off, stops coming, or is longer than it may be.
    pub(crate) async fn gather(&mut self, most: usize, patience: Duration) -> Result<(), BodyError> {
        if let Remaining::Waiting(rest) = &mut self.rest {
            rest.patience = Some(Patience { most: patience, timer: Box::pin(sleep(patience)), waiting: false });
        }
        std::future::poll_fn(|cx| self.poll_gather(most, cx)).await?;
        Ok(())
    }

    fn poll_gather(&mut self, most: usize, cx: &mut Context<'_>) -> Poll<Result<bool, BodyError>> {
        while !self.is_whole() && self.length < most {
            if let Some(frame) = ready!(self.poll_rest(cx)) {
                let frame = frame?;
                self.length += frame.data_ref().map_or(0, Bytes::len);
                self.came.push_back(frame);
            }
        }
        Poll::Ready(Ok(true))
    }

    /// Whether all of it has come.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.rest, Remaining::Nothing)
    }

    /// Its request runs from now on, in this place. Returns what ends it when it is dropped.
    pub(crate) fn run(&mut self, place: Place) -> Option<Box<dyn Send>> {
        match std::mem::replace(&mut self.rest, Remaining::Nothing) {
            Remaining::Waiting(rest) => {
                let rest = Arc::new(Mutex::new(Some(Rest { _place: Some(place), ..rest })));
                self.rest = Remaining::Running(Arc::clone(&rest));
                Some(Box::new(EndOfRun(rest)))
            }
            other => {
                self.rest = other;
                None
            }
        }
    }

    /// What has come, in one piece.
    pub(crate) fn into_bytes(self) -> Bytes {
        let mut pieces = self.came.into_iter().filter_map(|frame| frame.into_data().ok());
        let (first, second) = (pieces.next().unwrap_or_default(), pieces.next());
        let Some(second) = second else { return first };
        let mut all = BytesMut::with_capacity(self.length);
        for piece in [first, second].into_iter().chain(pieces) {
            all.extend_from_slice(&piece);
        }
        all.freeze()
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let (frame, ended) = match &mut self.rest {
            Remaining::Nothing => return Poll::Ready(None),
            Remaining::Waiting(rest) => ready!(rest.poll_frame(cx)),
            Remaining::Running(rest) => {
                let mut rest = lock(rest);
                let Some(coming) = &mut *rest else { return Poll::Ready(Some(Err(BodyError::Over))) };
                let (frame, ended) = ready!(coming.poll_frame(cx));
                if ended {
                    *rest = None;
                }
                (frame, ended)
            }
        };
        if ended {
            self.rest = Remaining::Nothing;
        }
        Poll::Ready(frame)
    }
}

impl<B: RequestBody> Rest<B> {
    /// The next frame, and whether it is the last.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<(Next, bool)> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            if let Some(patience) = &mut self.patience {
                patience.waiting = false;
            }
            let ended = !matches!(frame, Some(Ok(_))) || self.body.is_end_stream();
            return Poll::Ready((frame, ended));
        }
        let Some(patience) = &mut self.patience else { return Poll::Pending };
        ready!(patience.poll_over(cx));
        Poll::Ready((Some(Err(self.body.cut().stalled())), true))
    }
}

impl Patience {
    /// Waits for its end, which is counted from the first time that this was asked.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !std::mem::replace(&mut self.waiting, true) {
            self.timer.as_mut().reset(Instant::now() + self.most);
        }
        self.timer.as_mut().poll(cx)
    }
}

impl<B: RequestBody> Body for ArrivingBody<B> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Next> {
        let this = self.get_mut();
        match this.came.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => this.poll_rest(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.came.is_empty() && self.is_whole()
    }

    fn size_hint(&self) -> SizeHint {
        let came = self.came.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64).sum();
        let rest = match &self.rest {
            Remaining::Nothing => SizeHint::with_exact(0),
            Remaining::Waiting(rest) => rest.body.size_hint(),
            Remaining::Running(rest) => lock(rest).as_ref().map_or(SizeHint::new(), |rest| rest.body.size_hint()),
        };
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(came));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(came)) {
            hint.set_upper(upper);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Cut;
    use crate::failure::Failure;
    use http_body_util::BodyExt;
    use http_body_util::channel::Channel;

    type Sent = http_body_util::channel::Sender<Bytes, hyper::Error>;

    fn arriving(most: u64) -> (Sent, ArrivingBody<Channel<Bytes, hyper::Error>>, Cut) {
        let (sender, body) = Channel::new(8);
        let cut = Cut::default();
        (sender, ArrivingBody::new(BoundedBody::new(body, most, cut.clone())), cut)
    }

    async fn send(sender: &mut Sent, piece: &'static [u8]) {
        sender.send_data(Bytes::from_static(piece)).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_is_read_before_the_rest() {
        let (mut sender, mut body, _) = arriving(100);
        send(&mut sender, b"one").await;
        assert!(!body.came_along(100).await.unwrap(), "more may come");
        assert!(body.came_along(3).await.unwrap(), "that was enough");
        assert!(!body.is_whole());
        send(&mut sender, b"two").await;
        drop(sender);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "onetwo");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_whole_when_it_has_come_in_any_pieces() {
        let (mut sender, mut body, _) = arriving(100);
        for piece in [&b"one"[..], b"two", b"three"] {
            send(&mut sender, piece).await;
        }
        drop(sender);
        assert!(body.came_along(100).await.unwrap());
        assert!(body.is_whole());
        assert_eq!(body.size_hint().exact(), Some(11));
        assert_eq!(body.into_bytes(), "onetwothree");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_may_take_long_but_not_send_nothing_for_long() {
        let (mut sender, mut body, cut) = arriving(100);
        let sending = tokio::spawn(async move {
            for _ in 0..10 {
                sleep(Duration::from_secs(4)).await;
                send(&mut sender, b"x").await;
            }
            sender
        });
        let began = Instant::now();
        let stalled = body.gather(100, Duration::from_secs(5)).await.unwrap_err();
        assert!(matches!(stalled, BodyError::Stalled));
        assert!(matches!(cut.failure(), Some(Failure::BodyStalled)));
        assert_eq!(began.elapsed().as_secs(), 45);
        assert_eq!(body.into_bytes().len(), 10);
        drop(sending.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nobody_waits_for_a_body_is_not_its_clients() {
        let (mut sender, mut body, cut) = arriving(100);
        send(&mut sender, b"x").await;
        body.gather(1, Duration::from_secs(5)).await.unwrap();
        sleep(Duration::from_mins(1)).await;
        send(&mut sender, b"y").await;
        drop(sender);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "xy");
        assert!(cut.failure().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_kept_ends_with_the_run_of_its_request() {
        let (mut sender, mut body, _) = arriving(100);
        send(&mut sender, b"one").await;
        assert!(!body.came_along(100).await.unwrap());
        let places = Arc::new(tokio::sync::Semaphore::new(1));
        let end = body.run(Arc::clone(&places).try_acquire_owned().unwrap()).unwrap();
        send(&mut sender, b"two").await;
        assert_eq!(places.available_permits(), 0);
        drop(end);
        assert_eq!(places.available_permits(), 1);
        assert!(sender.send_data(Bytes::from_static(b"three")).await.is_err(), "nobody waits for it");
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
        assert!(matches!(body.frame().await.unwrap(), Err(BodyError::Over)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_when_the_body_is_whole() {
        let (mut sender, mut body, _) = arriving(100);
        let places = Arc::new(tokio::sync::Semaphore::new(1));
        assert!(!body.came_along(100).await.unwrap());
        let _end = body.run(Arc::clone(&places).try_acquire_owned().unwrap()).unwrap();
        send(&mut sender, b"all").await;
        drop(sender);
        assert_eq!((&mut body).collect().await.unwrap().to_bytes(), "all");
        assert_eq!(places.available_permits(), 1);
        assert!(body.is_end_stream());
    }
}
