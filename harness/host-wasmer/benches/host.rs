//! What the host itself costs, in this process and without a network. The component is a real one, compiled ahead.
//!
//! `cargo bench -p tare-host-wasmer`; with `--profile service` optimised as it is measured elsewhere, which takes longer
//! to build.

#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../../host/tests/it/artifacts.rs"]
mod artifacts;
#[path = "../../host/benches/shared.rs"]
mod shared;

use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use tare_host_wasmer::component;
use tare_host_wasmer::service::{Host, Service};
use tare_host_wasmer::settings::Settings;
use tokio::runtime::Runtime;

#[expect(unsafe_code, reason = "what was compiled a moment ago")]
fn service(settings: Settings) -> Arc<Service> {
    let host = Host::new(settings, Vec::new()).expect("the clock starts");
    // SAFETY: the file comes from this project's compiler, and nobody changes it meanwhile.
    let opened = unsafe { component::open(host.engine(), &artifacts::WASMER.guest) };
    let (component, _) = opened.expect("compiled by the same version");
    Service::link(&host, "bench", component).expect("the host has all that the component imports")
}

fn host(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("the threads start");
    let fresh = service(Settings::default());
    let settings = Settings::default();
    let warm = service(Settings { common: shared::reusing(&settings.common), ..settings });
    criterion.bench_function("wasmer, instantiate", |bencher| {
        bencher.iter(|| fresh.fresh(runtime.handle()).expect("the component instantiates"));
    });
    let ask = |service: Arc<Service>| {
        move |request| {
            let service = Arc::clone(&service);
            async move { shared::whole(service.answer(request).await).await }
        }
    };
    shared::calls(criterion, "wasmer", &runtime, ask(fresh), ask(warm));
}

criterion_group!(benches, host);
criterion_main!(benches);
