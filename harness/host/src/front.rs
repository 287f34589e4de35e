//! The front that all hosts share: what happens to a request before and after its component runs.
//!
//! The limit of the body, the deadline, the wait for a permit, the log and the answers in a component's place are here and
//! nowhere else, so that every runtime is measured behind the same front.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use tokio::time::{sleep, timeout_at};

use crate::admission::{ConcurrencyLimit, Permit, Place};
use crate::answer::Answer;
use crate::arrival::ArrivingBody;
use crate::backend::Service;
use crate::body::{BoundedBody, Cut, RequestBody};
use crate::events::FirstInstance;
use crate::failure::Failure;
use crate::grants::Grants;
use crate::log::ServiceLog;
use crate::settings::{Quotas, RequestLimits};
use crate::values::Values;
use crate::whom;

/// How much of a body is taken in before its request runs, in bytes: a connection's own buffer has room for more.
const GATHERED: usize = 64 * 1024;

/// How long a body may be under way before its request takes one of the few places for those: a client that sends it at once,
/// but not with the head, takes less.
const PATIENCE: Duration = Duration::from_millis(20);

/// What the instances of a service have in common.
#[derive(Debug)]
pub struct ServiceContext {
    /// The service's name.
    pub name: Arc<str>,
    /// What they are granted.
    pub grants: Arc<Grants>,
    /// The state that they share.
    pub values: Arc<Values>,
    /// What they print, and how they fail.
    pub log: Arc<ServiceLog>,
    /// Announces the first of them.
    pub first: FirstInstance,
}

impl ServiceContext {
    /// The context of a new service, without any state.
    pub fn new(name: &str, grants: &Arc<Grants>, quotas: Quotas) -> Arc<Self> {
        let log = ServiceLog::new(name, quotas.log_limit);
        let values = Values::new(quotas.store_limit, &log);
        Arc::new(Self { name: name.into(), grants: Arc::clone(grants), values, log, first: FirstInstance::default() })
    }
}

/// A request under way: what its service needs to know besides the request itself.
#[derive(Debug)]
pub struct Call {
    /// When it must be done.
    pub deadline: Instant,
    /// Whether the body was cut.
    pub cut: Cut,
    limit: ConcurrencyLimit,
    body_timeout: Duration,
}

impl Call {
    /// Waits for the right to run, and before that for the body: whoever's body is still under way after that has one of the
    /// few places for those. The right is held until the instance has ended.
    ///
    /// # Errors
    /// The right does not come before the deadline; or the body breaks off, is too long, or stops coming.
    pub async fn admit<B: RequestBody>(
        &self,
        request: Request<BoundedBody<B>>,
    ) -> Result<(Request<ArrivingBody<B>>, Permit), Failure> {
        let (head, body) = request.into_parts();
        let mut body = ArrivingBody::new(body);
        let mut place = None;
        if !body.came_along(GATHERED).await? || !body.is_whole() {
            place = self.wait_under_way(&mut body).await?;
        }
        let mut permit = self.limit.admit(self.deadline).await?;
        if let Some(end) = place.and_then(|place| body.run(place)) {
            permit.hold(end);
        }
        Ok((Request::from_parts(head, body), permit))
    }

    /// Waits until all of a body is here, or for a place to run while it is under way. Nothing is held meanwhile.
    async fn wait_under_way<B: RequestBody>(&self, body: &mut ArrivingBody<B>) -> Result<Option<Place>, Failure> {
        let place = async {
            sleep(PATIENCE).await;
            self.limit.admit_under_way(self.deadline).await
        };
        Ok(Some(tokio::select! {
            biased;
            gathered = body.gather(GATHERED, self.body_timeout) => {
                gathered?;
                if body.is_whole() {
                    return Ok(None);
                }
                self.limit.admit_under_way(self.deadline).await?
            }
            place = place => place?,
        }))
    }

    /// Waits for the whole body of the request, and then for the right to run.
    ///
    /// # Errors
    /// As of [`Call::admit`].
    pub async fn admit_whole<B: RequestBody>(
        &self,
        request: Request<BoundedBody<B>>,
    ) -> Result<(Request<Bytes>, Permit), Failure> {
        let (head, body) = request.into_parts();
        let mut body = ArrivingBody::new(body);
        if !body.came_along(usize::MAX).await? {
            let all = body.gather(usize::MAX, self.body_timeout);
            timeout_at(self.deadline.into(), all).await.unwrap_or_else(|_| Err(self.cut.stalled()))?;
        }
        let permit = self.limit.admit(self.deadline).await?;
        Ok((Request::from_parts(head, body.into_bytes()), permit))
    }
}

/// Waits for something until the deadline.
///
/// # Errors
/// It fails, or the deadline comes first.
pub async fn within<T>(deadline: Instant, wait: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    timeout_at(deadline.into(), wait).await.unwrap_or(Err(Failure::TooSlow))
}

/// A service behind the front.
#[derive(Debug)]
pub struct Front<S> {
    service: Arc<S>,
    context: Arc<ServiceContext>,
    limits: RequestLimits,
    concurrency: ConcurrencyLimit,
    /// Whom a request is for that does not say so.
    own: HeaderValue,
}

impl<S: Service> Front<S> {
    /// Puts a service behind the front, which listens on this address.
    ///
    /// # Panics
    /// Never: an address is a valid header.
    pub fn new(
        service: S,
        context: Arc<ServiceContext>,
        limits: RequestLimits,
        concurrency: ConcurrencyLimit,
        listens: SocketAddr,
    ) -> Arc<Self> {
        let own = HeaderValue::try_from(listens.to_string()).expect("an address is a valid header");
        Arc::new(Self { service: Arc::new(service), context, limits, concurrency, own })
    }

    /// What holds for each request.
    pub fn limits(&self) -> RequestLimits {
        self.limits
    }

    /// The service.
    pub fn service(&self) -> &Arc<S> {
        &self.service
    }

    /// Answers a request. What goes wrong is answered as well, and logged if it is not the client's doing.
    pub async fn answer<B: RequestBody>(&self, request: Request<B>) -> Response<Answer<S::Body>> {
        match self.try_answer(request).await {
            Ok(response) => response,
            Err(failure) => {
                if !failure.is_of_the_client() {
                    self.context.log.line(&failure.to_string());
                }
                failure.answer(|words| Answer::Whole(Some(words)))
            }
        }
    }

    async fn try_answer<B: RequestBody>(&self, mut request: Request<B>) -> Result<Response<Answer<S::Body>>, Failure> {
        let RequestLimits { deadline, max_body, body_timeout, .. } = self.limits;
        let deadline = Instant::now() + deadline;
        whom::check(&mut request, &self.own)?;
        if request.body().size_hint().lower() > max_body {
            return Err(Failure::BodyTooLong);
        }
        let cut = Cut::default();
        let request = request.map(|body| BoundedBody::new(body, max_body, cut.clone()));
        let call = Call { deadline, cut: cut.clone(), limit: self.concurrency.clone(), body_timeout };
        let answered = self.service.call(request, call).await;
        // However the component ended over it.
        match cut.failure() {
            Some(failure) => Err(failure),
            None => answered,
        }
    }
}
