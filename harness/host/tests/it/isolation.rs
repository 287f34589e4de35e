//! What instances see of the machine, of each other and of earlier requests.

use crate::artifacts::Program;
use crate::process::{Host, text};

on_every_host! {
    each_request_has_a_fresh_instance,
    a_reused_instance_remembers_until_it_is_replaced,
    an_instance_that_trapped_is_not_reused,
    only_the_environment_granted_is_seen,
    there_is_no_file_and_no_network,
    a_component_that_imports_sockets_is_refused,
    what_a_component_prints_is_logged_with_its_name,
    services_of_one_process_share_no_state,
}

fn each_request_has_a_fresh_instance(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    for _ in 0..5 {
        assert_eq!(text(addr, "/count"), "1");
    }
    host.stop();
}

fn a_reused_instance_remembers_until_it_is_replaced(program: &Program) {
    for variant in program.variants {
        let (host, addr) = Host::guest(program, &[&["--reuse", "3"], *variant].concat());
        let counts: Vec<String> = (0..7).map(|_| text(addr, "/count")).collect();
        assert_eq!(counts, ["1", "2", "3", "1", "2", "3", "1"]);
        host.stop();
    }
}

fn an_instance_that_trapped_is_not_reused(program: &Program) {
    let (host, addr) = Host::guest(program, &["--reuse", "100"]);
    assert_eq!(text(addr, "/count"), "1");
    assert_eq!(crate::process::get(addr, "/trap").status, 500);
    assert_eq!(text(addr, "/count"), "1");
    host.stop();
}

fn only_the_environment_granted_is_seen(program: &Program) {
    let (host, addr) = Host::guest(program, &["--env", "A=1", "--env", "B=x=y"]);
    assert_eq!(text(addr, "/env"), "A=1,B=x=y");
    host.stop();
    let (host, addr) = Host::guest(program, &[]);
    assert_eq!(text(addr, "/env"), "");
    host.stop();
}

fn there_is_no_file_and_no_network(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    assert_eq!(text(addr, "/files"), "0 0 false false");
    assert_eq!(text(addr, "/outgoing"), "ErrorCode::HttpRequestDenied");
    host.stop();
}

/// It would have a network if it were let in.
const SOCKETS: &str = r#"(component
    (import "wasi:http/types@0.2.0" (instance $types
        (export "incoming-request" (type (sub resource)))
        (export "response-outparam" (type (sub resource)))))
    (alias export $types "incoming-request" (type $request))
    (alias export $types "response-outparam" (type $out))
    (import "wasi:sockets/network@0.2.0" (instance $network (export "network" (type (sub resource)))))
    (alias export $network "network" (type $net))
    (import "wasi:sockets/instance-network@0.2.0" (instance $sockets
        (export "network" (type $named (eq $net)))
        (export "instance-network" (func (result (own $named))))))
    (core func $open (canon lower (func $sockets "instance-network")))
    (core module $main
        (import "" "open" (func $open (result i32)))
        (func (export "handle") (param i32 i32) (drop (call $open))))
    (core instance $main (instantiate $main (with "" (instance (export "open" (func $open))))))
    (type $handler (func (param "request" (own $request)) (param "response-out" (own $out))))
    (func $lifted (type $handler) (canon lift (core func $main "handle")))
    (instance $exported (export "handle" (func $lifted)))
    (export "wasi:http/incoming-handler@0.2.0" (instance $exported)))"#;

fn a_component_that_imports_sockets_is_refused(program: &Program) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sockets.wasm");
    std::fs::write(&path, wat::parse_str(SOCKETS).expect("the text is a component")).unwrap();
    let service = format!("guest={}@127.0.0.1:0", path.display());
    let ended = Host::serve(&program.jit, &["--service", &service]).wait();
    assert_eq!(ended.code, Some(2));
    assert!(ended.log.contains("wasi:sockets/"), "{}", ended.log);
}

fn what_a_component_prints_is_logged_with_its_name(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    assert_eq!(text(addr, "/log"), "logged");
    let log = host.stop();
    assert!(log.contains("[guest] to standard output\n[guest] to standard error\n"), "{log}");
}

fn services_of_one_process_share_no_state(program: &Program) {
    let service = |name: &str| format!("{name}={}@127.0.0.1:0", program.guest.display());
    let mut host = Host::serve(&program.aot, &["--service", &service("one"), "--service", &service("two")]);
    let (one, two) = (host.listening("one"), host.listening("two"));
    assert_eq!(text(one, "/keyvalue/set?key&mine"), "Ok(())");
    assert_eq!(text(one, "/keyvalue/get?key"), "Ok(Some(\"mine\"))");
    assert_eq!(text(two, "/keyvalue/get?key"), "Ok(None)");
    host.stop();
}
