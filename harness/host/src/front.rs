//! The front that all hosts share: what happens to a request before and after its component runs.
//!
//! The limit of the body, the deadline, the wait for a permit, the log and the answers in a component's place are here and
//! nowhere else, so that every runtime is measured behind the same front.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::timeout_at;

use crate::admission::{ConcurrencyLimit, Permit};
use crate::answer::Answer;
use crate::backend::Service;
use crate::body::{BoundedBody, RequestBody, TooLong};
use crate::events::FirstInstance;
use crate::failure::Failure;
use crate::grants::Grants;
use crate::settings::RequestLimits;
use crate::values::Values;
use crate::{direct, log};

/// What the instances of a service have in common.
#[derive(Debug)]
pub struct ServiceContext {
    /// The service's name.
    pub name: Arc<str>,
    /// What they are granted.
    pub grants: Arc<Grants>,
    /// The state that they share.
    pub values: Arc<Values>,
    /// Announces the first of them.
    pub first: FirstInstance,
}

impl ServiceContext {
    /// The context of a new service, without any state.
    pub fn new(name: &str, grants: &Arc<Grants>) -> Arc<Self> {
        let (name, grants) = (name.into(), Arc::clone(grants));
        Arc::new(Self { name, grants, values: Arc::default(), first: FirstInstance::default() })
    }
}

/// A request under way: what its service needs to know besides the request itself.
#[derive(Debug)]
pub struct Call {
    /// When it must be done.
    pub deadline: Instant,
    /// Whether the body turned out to be too long.
    pub too_long: TooLong,
    limit: ConcurrencyLimit,
}

impl Call {
    /// Waits for the right to run.
    ///
    /// # Errors
    /// It does not come before the deadline.
    pub async fn admit(&self) -> Result<Permit, Failure> {
        self.limit.admit(self.deadline).await
    }

    /// Waits for the whole body of the request. Who asks for a permit after this does not keep others from running while
    /// the body comes.
    ///
    /// # Errors
    /// It breaks off, is too long, or does not come before the deadline.
    pub async fn whole<B: RequestBody>(&self, request: Request<BoundedBody<B>>) -> Result<Request<Bytes>, Failure> {
        within(self.deadline, direct::collected(request)).await
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
}

impl<S: Service> Front<S> {
    /// Puts a service behind the front.
    pub fn new(
        service: S,
        context: Arc<ServiceContext>,
        limits: RequestLimits,
        concurrency: ConcurrencyLimit,
    ) -> Arc<Self> {
        Arc::new(Self { service: Arc::new(service), context, limits, concurrency })
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
                    log::line(&self.context.name, &failure.to_string());
                }
                failure.answer(|words| Answer::Whole(Some(words)))
            }
        }
    }

    async fn try_answer<B: RequestBody>(&self, request: Request<B>) -> Result<Response<Answer<S::Body>>, Failure> {
        let RequestLimits { deadline, max_body } = self.limits;
        let deadline = Instant::now() + deadline;
        if request.body().size_hint().lower() > max_body {
            return Err(Failure::BodyTooLong);
        }
        let too_long = TooLong::default();
        let request = request.map(|body| BoundedBody::new(body, max_body, too_long.clone()));
        let call = Call { deadline, too_long: too_long.clone(), limit: self.concurrency.clone() };
        let answered = self.service.call(request, call).await;
        // However the component ended over it.
        if too_long.happened() { Err(Failure::BodyTooLong) } else { answered }
    }
}
