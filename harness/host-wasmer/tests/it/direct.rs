//! Guests that give back anything: real ones, whose `realloc` and whose handler return addresses that they should not.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use proptest::collection::vec;
use proptest::prelude::*;
use tare_host::Backend;
use tare_host::answer::Answer;
use tare_host::front::{Front, ServiceContext};
use tare_host::grants::Grants;
use tare_host_wasmer::component::Component;
use tare_host_wasmer::pipe::Reader;
use tare_host_wasmer::plan::{Export, Handler, Plan, Step, World};
use tare_host_wasmer::service::Host;
use tare_host_wasmer::settings::Settings;
use tokio::runtime::Runtime;
use wasmer::Module;
use wasmer::sys::{EngineBuilder, Singlepass};

/// The memory of the guest, in bytes.
const MEMORY: i32 = 64 * 1024;

/// A component of one module, as the reader would give it: its `realloc` gives this address, its handler that one, and its
/// memory begins with these bytes.
fn component(host: &Host, realloc: i32, answer: i32, data: &[u8]) -> Component {
    let data = data.iter().fold(String::new(), |text, byte| text + &format!("\\{byte:02x}"));
    let text = format!(
        r#"(module
            (memory (export "memory") 1)
            (data (i32.const 0) "{data}")
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const {realloc})
            (func (export "handle") (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) i32.const {answer})
            (func (export "after") (param i32)))"#
    );
    let export = |name: &str| Export { step: 0, name: name.into() };
    let plan = Plan {
        steps: vec![Step { module: 0, imports: Vec::new() }],
        memories: vec![export("memory")],
        reallocs: vec![export("realloc")],
        later: Vec::new(),
        initializers: Vec::new(),
        handler: Handler {
            world: World::Direct,
            function: export("handle"),
            post_return: Some(export("after")),
            memory: Some(0),
            realloc: Some(0),
        },
        memory_bytes: MEMORY.try_into().unwrap(),
        grows_tables: false,
    };
    let compiler: wasmer::Engine = EngineBuilder::new(Singlepass::new()).engine().into();
    let module = Module::new(&compiler, wat::parse_str(text).unwrap()).unwrap().serialize().unwrap();
    #[expect(unsafe_code, reason = "what was serialized a moment ago")]
    // SAFETY: it is what this process has compiled.
    let module = unsafe { Module::deserialize(host.engine(), module) }.unwrap();
    Component { modules: vec![module], plan }
}

fn ask(host: &Arc<Host>, component: Component, body: Bytes) -> Response<Bytes> {
    let context = ServiceContext::new("guest", &Arc::default(), host.quotas());
    let service = host.link(component, Arc::clone(&context)).unwrap();
    let front = Front::new(service, context, host.limits(), host.concurrency(), ([127, 0, 0, 1], 80).into());
    let body = Full::new(body).map_err(|never| -> hyper::Error { match never {} });
    let request = Request::post("/path?query").header("host", "here").header("x-a", "1").body(body).unwrap();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let (head, body) = front.answer(request).await.into_parts();
        Response::from_parts(head, whole(body).await)
    })
}

async fn whole(body: Answer<Reader>) -> Bytes {
    assert!(body.size_hint().exact().is_some(), "it is there at once");
    body.collect().await.unwrap().to_bytes()
}

/// An address: mostly one near the ends of memory.
fn address() -> impl Strategy<Value = i32> {
    prop_oneof![0..256_i32, MEMORY - 256..MEMORY + 256, -16..16_i32, any::<i32>()]
}

/// What an answer is in memory: often one whose parts are at least near.
fn words() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        0..64_u32,
        Just(200),
        0..MEMORY.cast_unsigned() + 64,
        MEMORY.cast_unsigned() - 64..MEMORY.cast_unsigned() + 64,
        any::<u32>()
    ];
    vec(word, 16).prop_map(|words| words.into_iter().flat_map(u32::to_le_bytes).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_a_guest_gives_back_is_an_answer_or_costs_its_request(
        realloc in address(),
        answer in address(),
        data in words(),
        length in prop_oneof![Just(0_usize), 1..1000_usize, 60_000..70_000_usize],
    ) {
        let host = Host::new(Settings::default(), &Grants::default()).unwrap();
        let response = ask(&host, component(&host, realloc, answer, &data), Bytes::from(vec![b'x'; length]));
        if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
            return Ok(());
        }
        // Then the guest did what it may: the host gave it memory that is there, and took an answer from there.
        let of_memory = |at: i32| (0..MEMORY).contains(&at);
        prop_assert!(of_memory(realloc) && of_memory(answer) && answer % 4 == 0);
        prop_assert!(response.body().len() <= MEMORY.try_into().unwrap());
    }
}

#[test]
fn an_answer_is_taken_from_where_the_guest_says() {
    let host = Host::new(Settings::default(), &Grants::default()).unwrap();
    // At 8: status 207, no headers, and as body the bytes from 0 to 8.
    let mut data = b"the body".to_vec();
    data.extend([207_u32, 64, 0, 0, 8].into_iter().flat_map(u32::to_le_bytes));
    let response = ask(&host, component(&host, 1024, 8, &data), Bytes::new());
    assert_eq!(response.status(), StatusCode::MULTI_STATUS);
    assert_eq!(&response.body()[..], b"the body");
}
