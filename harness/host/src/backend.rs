//! What a runtime must do to be a host: load, link, instantiate and call. All else is in [`crate::front`].

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;

use crate::admission::ConcurrencyLimit;
use crate::answer::Answer;
use crate::body::{BoundedBody, RequestBody};
use crate::failure::Failure;
use crate::file::Origin;
use crate::front::{Call, ServiceContext};
use crate::grants::Grants;
use crate::settings::{Quotas, RequestLimits};

/// Any error, as bodies have it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A runtime with what the services of a process share.
pub trait Backend: Send + Sync + Sized + 'static {
    /// What can be set.
    type Settings: clap::Args + Send + 'static;
    /// What to compile ahead, and how.
    type Compile: clap::Args;
    /// A component as it comes from its file.
    type Loaded: Send;
    /// A component that is ready to be instantiated.
    type Service: Service;

    /// Starts the runtime; the grants hold for every component.
    ///
    /// # Errors
    /// The settings contradict each other or the machine, or this runtime cannot grant what is to be granted. The error
    /// names the remedy.
    fn new(settings: Self::Settings, grants: &Grants) -> anyhow::Result<Arc<Self>>;

    /// What holds for each request.
    fn limits(&self) -> RequestLimits;

    /// What holds for each service.
    fn quotas(&self) -> Quotas;

    /// The limit that a new service comes under: one for all services, or its own.
    fn concurrency(&self) -> ConcurrencyLimit;

    /// Loads or compiles a component.
    ///
    /// # Errors
    /// The file cannot be served; the error names it and the remedy.
    ///
    /// # Safety
    /// A component compiled ahead is native code that this process runs as it is. It must come from this project's own
    /// compiler, and nobody may change the file while the process runs: trust it as you trust a program.
    #[expect(unsafe_code, reason = "whoever names the file vouches for it")]
    unsafe fn load(&self, path: &Path) -> anyhow::Result<(Self::Loaded, Origin)>;

    /// Finds what a component imports, and makes a service of it.
    ///
    /// # Errors
    /// The component imports what this host does not have, does not export a handler that this host calls, or needs more
    /// from the start than it may have.
    fn link(self: &Arc<Self>, loaded: Self::Loaded, service: Arc<ServiceContext>) -> anyhow::Result<Self::Service>;

    /// Compiles ahead.
    ///
    /// # Errors
    /// The component does not compile, or this host cannot compile.
    fn compile(args: Self::Compile) -> anyhow::Result<()>;
}

/// A component that is ready to be instantiated, with what its instances share.
pub trait Service: Send + Sync + Sized + 'static {
    /// What a component writes by and by.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static;

    /// Lets an instance answer a request. It must ask for a permit ([`Call::admit`], [`Call::admit_whole`]) before the
    /// instance runs, and hold it until the instance has ended, which may be after the answer. It ends an instance at the deadline.
    ///
    /// # Errors
    /// There is no answer. The front logs the failure and answers in the component's place.
    fn call<B: RequestBody>(
        self: &Arc<Self>,
        request: Request<BoundedBody<B>>,
        call: Call,
    ) -> impl Future<Output = Result<Response<Answer<Self::Body>>, Failure>> + Send;
}
