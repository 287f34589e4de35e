//! A component that does what components should not, for the tests of the host: one path of the URL for each deed.
#![cfg(target_os = "wasi")]

mod deeds;
mod grants;
mod keyvalue;

use std::io::Write;

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

wasip2::http::proxy::export!(Component);

struct Component;

impl Guest for Component {
    fn handle(request: IncomingRequest, answer: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let argument = |index: usize| query.split('&').nth(index).unwrap_or_default();
        let number = |index: usize| argument(index).parse::<u64>().unwrap_or_default();
        let text = match path {
            "/hello" => "hello".to_owned(),
            "/count" => deeds::count().to_string(),
            "/env" => deeds::environment(),
            "/files" => deeds::files(),
            "/outgoing" => grants::outgoing(argument(0), argument(1), argument(2), &request),
            "/read" => grants::read(argument(0)),
            "/write" => grants::write(argument(0), argument(1)),
            "/config" => grants::config(argument(0)),
            "/sockets" => grants::sockets(),
            "/request" => deeds::describe(&request),
            "/authority" => format!("{:?}", request.authority()),
            "/clocks" => deeds::clocks(),
            "/random" => deeds::random(),
            "/exit" => deeds::exit(),
            "/fields" => deeds::fields(),
            "/echo" => deeds::length(&request).map_or_else(|error| error, |length| length.to_string()),
            "/log" => deeds::log(),
            "/flood" => deeds::flood(number(0)),
            "/handles" => deeds::handles(number(0)),
            "/trap" => panic!("as asked"),
            "/loop" => deeds::spin(),
            "/sleep" => deeds::sleep(number(0)),
            "/memory" => deeds::allocate(number(0)),
            "/keep" => {
                std::mem::forget(request);
                "kept".to_owned()
            }
            "/silent" => return,
            "/headers" => return deeds::headers(answer, number(0)),
            "/mirror" => return deeds::mirror(&request, answer),
            "/early" => return deeds::early(&request, answer),
            "/short" => return deeds::promise(answer, number(0), number(1)),
            "/refuse" => return deeds::refuse(answer),
            "/late" => return deeds::late(answer, number(0)),
            "/stream" => return deeds::stream(answer, number(0), false),
            "/stream-trap" => return deeds::stream(answer, number(0), true),
            _ => match path.strip_prefix("/keyvalue/") {
                Some(deed) => keyvalue::act(deed, argument(0), argument(1)),
                None => format!("there is no {path}"),
            },
        };
        respond(answer, &text);
    }
}

/// Begins an answer.
fn begin(answer: ResponseOutparam) -> OutgoingBody {
    let response = OutgoingResponse::new(Fields::new());
    let body = response.body().expect("a new response has a body to be taken");
    ResponseOutparam::set(answer, Ok(response));
    body
}

fn respond(answer: ResponseOutparam, text: &str) {
    let body = begin(answer);
    let mut stream = body.write().expect("nobody took it before");
    stream.write_all(text.as_bytes()).expect("the client is there");
    drop(stream);
    OutgoingBody::finish(body, None).expect("the body has any length");
}
