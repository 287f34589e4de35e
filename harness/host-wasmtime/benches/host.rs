//! What the host itself costs, in this process and without a network. The component is a real one, compiled ahead.
//!
//! `cargo bench -p tare-host-wasmtime`; with `--profile service` optimised as it is measured elsewhere, which takes
//! longer to build.

#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../../host/tests/it/artifacts.rs"]
mod artifacts;
#[path = "../../host/benches/shared.rs"]
mod shared;

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use tare_host::Backend;
use tare_host::front::{Front, ServiceContext};
use tare_host::grants::Grants;
use tare_host_wasmtime::service::{Host, Service};
use tare_host_wasmtime::settings::Settings;
use tokio::runtime::Runtime;

#[expect(unsafe_code, reason = "what was compiled a moment ago")]
fn service(settings: Settings) -> Arc<Front<Service>> {
    let host = Host::new(settings, &Grants::default()).expect("the machine has room for the pool");
    // SAFETY: the file comes from this project's compiler, and nobody changes it meanwhile.
    let loaded = unsafe { host.load(&artifacts::WASMTIME.guest) };
    let (component, _) = loaded.expect("compiled by the same version");
    let context = ServiceContext::new("bench", &Arc::default(), host.quotas());
    let service = host.link(component, Arc::clone(&context)).expect("the host has all that the component imports");
    Front::new(service, context, host.limits(), host.concurrency(), ([127, 0, 0, 1], 80).into())
}

fn host(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("the threads start");
    let fresh = service(Settings::default());
    let settings = Settings::default();
    let warm = service(Settings { common: shared::reusing(&settings.common), ..settings });
    criterion.bench_function("wasmtime, instantiate", |bencher| {
        bencher.iter(|| {
            let deadline = Instant::now() + Duration::from_secs(10);
            runtime.block_on(fresh.service().fresh(deadline)).expect("the component instantiates")
        });
    });
    let ask = |service: Arc<Front<Service>>| {
        move |request| {
            let service = Arc::clone(&service);
            async move { shared::whole(service.answer(request).await).await }
        }
    };
    shared::calls(criterion, "wasmtime", &runtime, ask(fresh), ask(warm));
}

criterion_group!(benches, host);
criterion_main!(benches);
