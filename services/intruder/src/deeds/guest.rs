//! What WebAssembly has calls for.

use std::net::SocketAddr;

use service_kit::Problem;

use super::Tried;

/// The world of the services has no sockets, and a host refuses a component that imports them; the way out that it does
/// have is a request of HTTP.
#[cfg(target_env = "p2")]
pub(super) fn connect(addr: SocketAddr) -> Tried {
    use wasip2::http::outgoing_handler::handle;
    use wasip2::http::types::{ErrorCode, Fields, OutgoingRequest, Scheme};

    let refused = |code: ErrorCode| format!("no sockets in its world; an outgoing request: {code:?}");
    let request = OutgoingRequest::new(Fields::new());
    let unfit = |()| "the host takes no such request".to_owned();
    request.set_scheme(Some(&Scheme::Http)).map_err(unfit)?;
    request.set_authority(Some(&addr.to_string())).map_err(unfit)?;
    request.set_path_with_query(Some("/")).map_err(unfit)?;
    let answer = handle(request, None).map_err(refused)?;
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(Ok(_))) => Ok(format!("{addr} answered a request")),
        Some(Ok(Err(code))) => Err(refused(code)),
        other => Err(format!("no answer: {other:?}")),
    }
}

/// Programs of WASI 0.1 cannot open a connection.
#[cfg(not(target_env = "p2"))]
pub(super) fn connect(_: SocketAddr) -> Tried {
    Err("there is no such call".into())
}

/// There are no users, and nothing to run.
#[expect(clippy::unnecessary_wraps, reason = "on a machine the attempt may fail")]
pub(super) fn gain_privileges() -> Result<Tried, Problem> {
    Ok(Err("there is no such call".into()))
}
