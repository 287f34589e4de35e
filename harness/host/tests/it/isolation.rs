//! What instances see of the machine, of each other and of earlier requests.

use crate::artifacts::Program;
use crate::process::{Host, text};

on_every_host! {
    each_request_has_a_fresh_instance,
    a_reused_instance_remembers_until_it_is_replaced,
    an_instance_that_trapped_is_not_reused,
    only_the_environment_granted_is_seen,
    there_is_no_file,
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

fn there_is_no_file(program: &Program) {
    let (host, addr) = Host::guest(program, &[]);
    assert_eq!(text(addr, "/files"), "0 0 false false");
    host.stop();
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
