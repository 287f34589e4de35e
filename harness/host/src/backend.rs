//! What a runtime must do to be a host.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;

/// Any error, as bodies have it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A runtime with what the services of a process share.
pub trait Backend: Send + Sync + Sized + 'static {
    /// What can be set.
    type Settings: clap::Args + Send + 'static;
    /// What to compile ahead, and how.
    type Compile: clap::Args;
    /// A component that is ready to be instantiated.
    type Service: Handler;

    /// Starts the runtime; `env` is granted to every component.
    ///
    /// # Errors
    /// The settings contradict each other or the machine, with the remedy.
    fn new(settings: Self::Settings, env: Vec<(String, String)>) -> anyhow::Result<Arc<Self>>;

    /// Loads or compiles a component, and announces the phases.
    ///
    /// # Errors
    /// The file cannot be served; the error names it and the remedy.
    ///
    /// # Safety
    /// A component compiled ahead is native code that this process runs as it is. It must come from this project's own
    /// compiler, and nobody may change the file while the process runs: trust it as you trust a program.
    #[expect(unsafe_code, reason = "whoever names the file vouches for it")]
    unsafe fn open(self: &Arc<Self>, name: &str, path: &Path) -> anyhow::Result<Arc<Self::Service>>;

    /// Compiles ahead.
    ///
    /// # Errors
    /// The component does not compile, or this host cannot compile.
    fn compile(args: Self::Compile) -> anyhow::Result<()>;
}

/// What answers the requests of a service.
pub trait Handler: Send + Sync + 'static {
    /// The body of an answer.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;

    /// Answers a request. What goes wrong is answered as well.
    fn handle(self: Arc<Self>, request: Request<Incoming>) -> impl Future<Output = Response<Self::Body>> + Send;
}
