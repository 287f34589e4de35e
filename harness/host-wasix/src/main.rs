//! A control: programs for WASI 0.1 that answer a request each, as by CGI (RFC 3875), run by Wasmer's own runner.
//!
//! It is what Wasmer has of its own for HTTP without a server in the guest, and nothing of it is this project's but the
//! front that all hosts share: so it tells whether the project's adapter for components makes Wasmer slow or fast. A
//! request is a whole process with a file system; what the runner does for it is its own affair.
//!
//! What the runner does not do is not done here either: a program's memory has no limit but that of 32 bits, and one that
//! never ends keeps its service from answering others. Serve no programs by this that you do not trust to end.

mod service;

fn main() -> std::process::ExitCode {
    tare_host::main::<service::Host>()
}
