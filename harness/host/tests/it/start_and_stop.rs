//! Starting, deploying, refusing and ending.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tare_protocol::{Command, Event};

use crate::artifacts::{GUEST, Program};
use crate::process::{Host, get, text};

on_every_host! {
    the_phases_of_a_start_are_announced_in_order,
    both_hosts_serve_under_every_setting_what_was_compiled_once,
    services_are_deployed_into_a_running_host,
    the_end_of_the_commands_is_the_end_of_the_host,
    without_control_the_end_of_standard_input_means_nothing,
    a_request_in_flight_is_finished_when_the_host_stops,
    a_request_that_does_not_end_does_not_keep_the_host,
    a_file_that_cannot_be_served_is_refused_with_the_remedy,
    one_service_that_fails_does_not_keep_the_others,
    a_port_that_is_taken_is_named,
    wrong_arguments_are_a_usage_error,
}

/// The phases until a service listens, and the times of all events.
fn phases(host: &mut Host) -> (Vec<String>, Vec<u64>) {
    let (mut names, mut times) = (Vec::new(), Vec::new());
    loop {
        match host.event() {
            Event::Phase { phase, at_ns } => {
                names.push(phase);
                times.push(at_ns);
            }
            Event::Listening { at_ns, .. } => {
                times.push(at_ns);
                return (names, times);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn the_phases_of_a_start_are_announced_in_order(program: &Program) {
    for (program, component, origin) in [
        (&*program.aot, &*program.guest, "load"),
        (&*program.jit, &*GUEST, "compile"),
        (&*program.jit, &*program.guest, "load"),
    ] {
        let service = format!("guest={}@127.0.0.1:0", component.display());
        let mut host = Host::serve(program, &["--service", &service]);
        let (names, times) = phases(&mut host);
        assert_eq!(names, ["main", "engine", origin, "link"]);
        assert!(times.is_sorted() && times[0] > 0, "{times:?}");
        host.stop();
    }
}

fn both_hosts_serve_under_every_setting_what_was_compiled_once(program: &Program) {
    let limits: &[&str] = &["--reuse", "8", "--max-instances", "4", "--memory-limit", "8388608"];
    for host in [&*program.aot, &*program.jit] {
        for settings in program.variants.iter().chain([&limits]) {
            let (host, addr) = Host::with(host, &program.guest, settings);
            assert_eq!(text(addr, "/hello"), "hello");
            host.stop();
        }
    }
}

fn services_are_deployed_into_a_running_host(program: &Program) {
    let mut host = Host::serve(&program.aot, &["--control"]);
    assert!(matches!(host.event(), Event::Phase { phase, .. } if phase == "main"));
    assert!(matches!(host.event(), Event::Phase { phase, .. } if phase == "engine"));
    assert!(matches!(host.event(), Event::Ready { .. }));
    let deploy = |name: &str, path: &Path| Command::Deploy {
        service: name.into(),
        path: path.into(),
        listen: ([127, 0, 0, 1], 0).into(),
    };
    host.command(&deploy("one", &program.guest));
    let one = host.listening("one");
    assert_eq!(text(one, "/hello"), "hello");
    let instantiated = |event: Event| matches!(event, Event::Phase { phase, .. } if phase == "instantiate");
    assert!(instantiated(host.event()));
    // Only the first instance is announced.
    assert_eq!(text(one, "/hello"), "hello");

    host.command(&deploy("wrong", &GUEST));
    assert!(matches!(host.event(), Event::Failed { service, .. } if service == "wrong"));
    host.command(&deploy("one", &program.guest));
    assert!(matches!(host.event(), Event::Failed { service, error } if service == "one" && error.contains("another")));
    host.write("deploy two");

    host.command(&deploy("two", &program.guest));
    let two = host.listening("two");
    assert_eq!(text(two, "/hello"), "hello");
    assert!(instantiated(host.event()));
    assert_eq!(text(one, "/hello"), "hello");

    host.command(&Command::Stop);
    let ended = host.wait();
    assert_eq!(ended.code, Some(0));
    assert!(ended.log.contains("not a command, ignored: deploy two"), "{}", ended.log);
}

fn the_end_of_the_commands_is_the_end_of_the_host(program: &Program) {
    let mut host = Host::serve(&program.aot, &["--control"]);
    host.close_stdin();
    assert_eq!(host.wait().code, Some(0));
}

fn without_control_the_end_of_standard_input_means_nothing(program: &Program) {
    let (mut host, addr) = Host::guest(program, &[]);
    host.close_stdin();
    assert_eq!(text(addr, "/sleep?100"), "slept");
    host.stop();
}

fn a_request_in_flight_is_finished_when_the_host_stops(program: &Program) {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (mut host, addr) = Host::guest(program, &[]);
        let request = std::thread::spawn(move || text(addr, "/stream?10"));
        // The request is on its way to an instance that takes 200 ms.
        std::thread::sleep(Duration::from_millis(100));
        host.signal(signal);
        assert_eq!(request.join().unwrap().lines().count(), 10);
        host.close_stdin();
        assert_eq!(host.wait().code, Some(0));
    }
}

fn a_request_that_does_not_end_does_not_keep_the_host(program: &Program) {
    let (host, addr) = Host::guest(program, &["--deadline", "50s"]);
    let request = std::thread::spawn(move || crate::process::try_get(addr, "/loop"));
    std::thread::sleep(Duration::from_millis(100));
    let asked = Instant::now();
    let log = host.stop();
    assert!(asked.elapsed() < Duration::from_secs(30), "much less than the deadline");
    assert!(log.contains("cut off"), "{log}");
    assert!(request.join().unwrap().is_err());
}

/// Serves a file that cannot be served, and returns the error.
fn refusal(program: &Path, file: &Path) -> String {
    let service = format!("it={}@127.0.0.1:0", file.display());
    let ended = Host::serve(program, &["--service", &service]).wait();
    assert_eq!(ended.code, Some(2), "{}", ended.log);
    let Some(Event::Failed { service, error }) = ended.events.last() else { panic!("{:?}", ended.events) };
    assert_eq!(service, "it");
    assert!(error.contains(file.to_str().unwrap()), "names the file: {error}");
    assert!(ended.log.contains(error.as_str()), "{}", ended.log);
    error.clone()
}

fn a_file_that_cannot_be_served_is_refused_with_the_remedy(program: &Program) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    for host in [&*program.aot, &*program.jit] {
        assert!(refusal(host, &folder.path().join("missing.wasm")).contains("No such file"));
        let module = write("module.wasm", b"\0asm\x01\0\0\0");
        assert!(refusal(host, &module).contains("wasm32-wasip2"));
        let text = write("text.wasm", b"(component)");
        assert!(refusal(host, &text).contains("no WebAssembly"));
        let empty = write("empty.wasm", b"");
        assert!(refusal(host, &empty).contains("no WebAssembly"));
        let foreign = write("foreign.cwasm", &std::fs::read("/proc/self/exe").unwrap());
        let foreign = refusal(host, &foreign);
        assert!(foreign.contains("compile it again") || foreign.contains("no WebAssembly"), "{foreign}");
    }
    assert!(refusal(&program.aot, &GUEST).contains(&format!("{} compile", program.compiler)));
    let ahead = std::fs::read(&*program.guest).unwrap();
    for length in [20, 1000, ahead.len() / 2] {
        let cut = refusal(&program.aot, &write("cut", &ahead[..length]));
        assert!(cut.contains("compile it again"), "{length}: {cut}");
    }
    let broken = write("broken.wasm", b"\0asm\x0d\0\x01\0\xff\xff");
    assert!(refusal(&program.jit, &broken).contains("does not compile"));
    let idle = write("idle.wasm", b"\0asm\x0d\0\x01\0");
    assert!(refusal(&program.jit, &idle).contains("wasi:http/incoming-handler"));
}

fn one_service_that_fails_does_not_keep_the_others(program: &Program) {
    let good = format!("good={}@127.0.0.1:0", program.guest.display());
    let mut host = Host::serve(&program.aot, &["--service", "bad=missing.cwasm@127.0.0.1:0", "--service", &good]);
    let failed = loop {
        if let Event::Failed { service, .. } = host.event() {
            break service;
        }
    };
    assert_eq!(failed, "bad");
    let addr = host.listening("good");
    assert_eq!(get(addr, "/hello").status, 200);
    host.stop();
}

fn a_port_that_is_taken_is_named(program: &Program) {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let service = format!("it={}@{addr}", program.guest.display());
    let ended = Host::serve(&program.aot, &["--service", &service]).wait();
    assert_eq!(ended.code, Some(2));
    assert!(ended.log.contains(&format!("cannot listen on {addr}")), "{}", ended.log);
}

fn wrong_arguments_are_a_usage_error(program: &Program) {
    for args in [&["--service", "it"][..], &[], &["--control", "--deadline", "10"], &["--control", "--reuse", "0"]] {
        assert_eq!(Host::serve(&program.aot, args).wait().code, Some(2), "{args:?}");
    }
}
