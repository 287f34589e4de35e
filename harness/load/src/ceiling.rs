//! How much the generator can do.

use std::sync::atomic::AtomicBool;

use crate::{LoadError, Mix, Mode, NullServer, Outcome, Settings, run};

/// Runs a closed loop with the settings and requests of a real load against a [`NullServer`] bound to `server_cpus`:
/// what comes out is the most that this generator could show of any subject under these settings. A subject whose
/// throughput comes near it was perhaps limited by the generator.
///
/// Of `settings`, the address and the mode are replaced; of the requests, what they expect.
///
/// # Errors
/// As [`run`], and if the null server cannot be started.
pub fn ceiling(
    settings: &Settings,
    mix: &Mix,
    server_cpus: &[usize],
    cancel: &AtomicBool,
) -> Result<Outcome, LoadError> {
    let server = NullServer::start(server_cpus)?;
    let settings = Settings { addr: server.addr(), mode: Mode::Closed, ..settings.clone() };
    let mix = mix.clone().map(|request| {
        let expect = NullServer::expect(&request);
        request.expecting(expect)
    });
    run(&settings, &mix, cancel)
}
