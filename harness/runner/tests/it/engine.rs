//! The engine layer against the real container engine of this machine. Without one, the tests say so and pass, unless
//! `CI=true`: then they fail.

mod scene;

use std::io::Write as _;
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::time::Duration;

use fs_err as fs;
use scene::{MEMORY_LIMIT, assert_has_line, build_server, containers, request, scene, static_server};
use tare_runner::engine::{BaseOrigin, ContainerSpec, Image, ImageSpec, Network, Pinning, RunOwner, pin, processes_of};
use tare_runner::sys::cgroup::Cgroup;
use tare_runner::sys::owner::Owner;

/// The hardening, as the program in the container sees it.
fn assert_hardened(answer: &str) {
    assert_has_line(answer, "Uid: 65534 65534 65534 65534");
    assert_has_line(answer, "Gid: 65534 65534 65534 65534");
    assert_has_line(answer, "CapEff: 0000000000000000");
    assert_has_line(answer, "CapBnd: 0000000000000000");
    assert_has_line(answer, "NoNewPrivs: 1");
    assert_has_line(answer, "root: ReadOnlyFilesystem");
    assert_has_line(answer, "Cpus_allowed_list: 0");
}

#[tokio::test]
async fn on_the_hosts_network_it_answers_hardened_and_is_accounted_for() {
    scene("host", async |scene| {
        let image = scene.scratch_image().await;
        let (container, addr) = scene.start_on_host(&image, MEMORY_LIMIT).await;
        assert_hardened(&scene.ask(&container, addr).await);

        let state = scene.engine.inspect(&container).await.unwrap();
        assert!(state.running);
        assert_eq!(state.host_port, None);
        let pid = state.pid.unwrap();
        let processes = processes_of(&container, &state).unwrap();
        assert_eq!((&processes.service[..], &processes.proxies[..]), (&[pid][..], &[][..]));
        let shim = processes.shim.unwrap();
        assert!(fs::read_to_string(format!("/proc/{shim}/cmdline")).unwrap().contains(&container.id));
        assert_eq!(scene.engine.daemons().unwrap().engine.len(), 1, "the one that listens on the socket");

        let cgroup = Cgroup::of(pid).unwrap();
        assert_eq!(cgroup.processes().unwrap(), [pid]);
        let memory = cgroup.memory_usage().unwrap();
        assert!((1 << 12..MEMORY_LIMIT).contains(&memory), "{memory} bytes");
        let before = cgroup.cpu_time().unwrap();
        assert!(before > Duration::ZERO);
        (0..100).for_each(|_| drop(request(addr, "/").unwrap()));
        let used = cgroup.cpu_time().unwrap().saturating_sub(before);
        assert!((Duration::from_micros(100)..Duration::from_secs(10)).contains(&used), "{used:?}");

        let lines = scene.engine.stdout_lines(&container).await.unwrap();
        assert_eq!(lines, [format!("listening on {addr}")]);
        scene.engine.remove(&container).await.unwrap();
        scene.engine.remove(&container).await.unwrap();
        assert!(processes_of(&container, &state).is_err());
    })
    .await;
}

#[tokio::test]
async fn on_a_bridge_it_answers_on_loopback_only_through_a_proxy_that_can_be_pinned() {
    scene("bridge", async |scene| {
        let image = scene.scratch_image().await;
        let network = Network::Bridge { container_port: 8080, host_port: 0 };
        let spec = scene.container_spec(&image, network, "0.0.0.0:8080");
        let container = scene.engine.create(&spec).await.unwrap();
        scene.engine.start(&container).await.unwrap();
        let state = scene.engine.inspect(&container).await.unwrap();
        let port = state.host_port.unwrap();
        assert_hardened(&scene.ask(&container, ([127, 0, 0, 1], port).into()).await);
        if let Some(outside) = outside_address() {
            assert!(TcpStream::connect_timeout(&(outside, port).into(), Duration::from_secs(2)).is_err());
        }

        let processes = processes_of(&container, &state).unwrap();
        if scene.engine.info().await.unwrap().userland_proxy == Some(true) {
            assert_eq!(processes.proxies.len(), 1, "{processes:?}");
        }
        let beside: Vec<i32> = processes.shim.into_iter().chain(processes.proxies).collect();
        let pinning = pin(&beside, &[0]).unwrap();
        if nix::unistd::geteuid().is_root() {
            assert!(matches!(pinning, Pinning::Done { threads } if threads >= beside.len()), "{pinning:?}");
            for pid in beside {
                let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
                assert_has_line(&status, "Cpus_allowed_list:\t0");
            }
        } else {
            assert_eq!(pinning, Pinning::NotPermitted);
        }
    })
    .await;
}

/// An address of this machine that others could reach; none where it has no network.
fn outside_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: connecting a UDP socket only looks up the route. The address is one of RFC 5737's for examples.
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[tokio::test]
async fn an_image_is_kept_while_nothing_changes_and_comes_out_the_same_when_built_again() {
    scene("image", async |scene| {
        let program = scene.dir.path().join("tiny");
        fs::copy(static_server(), &program).unwrap();
        let spec = scene.image_spec("scratch", vec![("tiny".into(), program.clone())]);
        let build = async || scene.engine.build_image(&spec, &scene.log()).await.unwrap();
        let first = build().await;
        assert!(!first.kept);
        assert!(fs::read_to_string(scene.log()).unwrap().contains("Successfully built"));
        let layers = scene.engine.layers(&first).await.unwrap();
        let [layer] = &layers[..] else { panic!("{layers:?}") };
        let size = fs::metadata(&program).unwrap().len();
        // The archive of a layer pads the file, and has headers of half a kibibyte and an end.
        assert!((size..size + 16_384).contains(&layer.bytes), "{layer:?}, {size}");
        assert!((size / 10..size).contains(&layer.compressed_bytes), "{layer:?}, {size}");
        assert!(!layer.base);

        let again = build().await;
        assert!(again.kept);
        assert_eq!(again.id, first.id);

        assert!(scene.engine.remove_image(&first.name).await.unwrap());
        assert!(!scene.engine.remove_image(&first.name).await.unwrap());
        let rebuilt = build().await;
        assert!(!rebuilt.kept);
        assert_eq!(scene.engine.layers(&rebuilt).await.unwrap(), layers);

        fs::OpenOptions::new().append(true).open(&program).unwrap().write_all(b"more").unwrap();
        let changed = build().await;
        assert!(!changed.kept && changed.id != rebuilt.id && changed.digest != rebuilt.digest);
        assert!(!scene.engine.remove_image(&rebuilt.id).await.unwrap(), "the image that was replaced is still there");
    })
    .await;
}

#[tokio::test]
async fn the_debian_kind_stands_on_a_base_that_is_told_apart() {
    scene("debian", async |scene| {
        // The base stays: it takes half a minute to make where no registry answers.
        let base = scene.engine.ensure_base(&containers().join("base.sh"), &scene.log()).await.unwrap();
        let again = scene.engine.ensure_base(Path::new("no-recipe"), &scene.log()).await;
        match &base.origin {
            BaseOrigin::Public => assert_eq!(again.unwrap(), base),
            BaseOrigin::Packages { .. } => assert!(format!("{:#}", again.unwrap_err()).contains("no-recipe")),
        }
        let program = build_server("glibc", None);
        let spec = scene.image_spec("debian", vec![("tiny".into(), program)]);
        let image =
            scene.engine.build_image(&ImageSpec { base: Some(base.clone()), ..spec }, &scene.log()).await.unwrap();
        let layers = scene.engine.layers(&image).await.unwrap();
        assert_eq!(layers.iter().map(|layer| layer.base).collect::<Vec<_>>(), [true, false]);
        assert_eq!(layers[0].digest, base.layers[0]);
        // Slim Debian has some 75 MB, 28 MB compressed.
        assert!((50_000_000..100_000_000).contains(&layers[0].bytes), "{layers:?}");
        assert!((20_000_000..40_000_000).contains(&layers[0].compressed_bytes), "{layers:?}");
        let (container, addr) = scene.start_on_host(&image, MEMORY_LIMIT).await;
        assert_hardened(&scene.ask(&container, addr).await);
    })
    .await;
}

#[tokio::test]
async fn the_wasm_kind_passes_its_arguments_to_the_host() {
    scene("wasm", async |scene| {
        let component = scene.dir.path().join("tiny.cwasm");
        fs::write(&component, "compiled").unwrap();
        let files = vec![("tare-host-wasmtime".into(), static_server()), ("tiny.cwasm".into(), component)];
        let image = scene.engine.build_image(&scene.image_spec("wasm", files), &scene.log()).await.unwrap();
        assert_eq!(scene.engine.layers(&image).await.unwrap().len(), 2);
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let cmd = vec!["--service".into(), "tiny=/service.cwasm@127.0.0.1:0".into()];
        let spec = scene.container_spec(&image, Network::Host, &addr.to_string());
        let container = scene.engine.create(&ContainerSpec { cmd, ..spec }).await.unwrap();
        scene.engine.start(&container).await.unwrap();
        let answer = scene.ask(&container, addr).await;
        let arguments: Vec<&str> = answer.lines().filter_map(|line| line.strip_prefix("arg: ")).collect();
        assert_eq!(arguments, ["serve", "--service", "tiny=/service.cwasm@127.0.0.1:0"]);
    })
    .await;
}

#[tokio::test]
async fn a_build_that_fails_names_its_log() {
    scene("failing", async |scene| {
        let dockerfile = scene.dir.path().join("Dockerfile");
        fs::write(&dockerfile, "FROM scratch\nLABEL tare.kind=scratch\nCOPY not-there /x\n").unwrap();
        let spec = ImageSpec { dockerfile, ..scene.image_spec("scratch", vec![("tiny".into(), static_server())]) };
        let error = format!("{:#}", scene.engine.build_image(&spec, &scene.log()).await.unwrap_err());
        for part in [scene.log().to_str().unwrap(), &scene.image_name(), "not-there"] {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
        assert!(fs::read_to_string(scene.log()).unwrap().contains("not-there"));
    })
    .await;
}

#[tokio::test]
async fn a_container_that_ends_or_cannot_begin_says_why() {
    scene("ending", async |scene| {
        let image = scene.scratch_image().await;
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = taken.local_addr().unwrap().to_string();
        let spec = scene.container_spec(&image, Network::Host, &listen);
        let container = scene.engine.create(&spec).await.unwrap();
        scene.engine.start(&container).await.unwrap();
        let exit = scene.engine.wait(&container).await.unwrap();
        assert_eq!((exit.code, exit.out_of_memory), (3, false));
        let log = scene.engine.log_tail(&container, 5).await.unwrap();
        assert!(log.contains(&format!("cannot listen on {listen}")), "{log}");

        let image = Image { id: "tare-test/not-there:1".into(), ..image };
        let spec = ContainerSpec { name: spec.name + "-b", ..scene.container_spec(&image, Network::Host, &listen) };
        let error = format!("{:#}", scene.engine.create(&spec).await.unwrap_err());
        assert!(error.contains("tare-test/not-there:1"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn going_over_the_memory_limit_is_recognised() {
    scene("memory", async |scene| {
        let image = scene.scratch_image().await;
        let (container, addr) = scene.start_on_host(&image, 16 << 20).await;
        scene.ask(&container, addr).await;
        let wait = scene.engine.wait(&container);
        let eat = tokio::task::spawn_blocking(move || request(addr, "/eat"));
        let exit = wait.await.unwrap();
        assert!(exit.out_of_memory, "{exit:?}");
        assert_eq!(exit.code, 137);
        let _ = eat.await.unwrap();
        assert!(!scene.engine.inspect(&container).await.unwrap().running);
    })
    .await;
}

#[tokio::test]
async fn the_containers_of_the_dead_are_swept_and_those_of_the_living_stay() {
    scene("sweep", async |scene| {
        let image = scene.scratch_image().await;
        let (living, addr) = scene.start_on_host(&image, MEMORY_LIMIT).await;
        // The number of a process that lives, and a start that is not its own.
        let dead = Owner { start: 1, ..scene.owner.process };
        let dead = RunOwner { process: dead, ..scene.owner.clone() };
        let spec = scene.container_spec(&image, Network::Host, "127.0.0.1:0");
        let spec = ContainerSpec { name: spec.name.clone() + "-dead", owner: dead, ..spec };
        let orphan = scene.engine.create(&spec).await.unwrap();
        scene.engine.start(&orphan).await.unwrap();

        // Another sweep may run at the same time and be the one that removes it.
        let swept = scene.engine.sweep_dead().await.unwrap();
        assert!(!swept.removed.contains(&living.name) && swept.unknown.is_empty(), "{swept:?}");
        assert!(scene.engine.inspect(&orphan).await.is_err());
        scene.ask(&living, addr).await;

        assert_eq!(scene.engine.remove_run(&scene.owner).await.unwrap(), [living.name]);
    })
    .await;
}

#[tokio::test]
async fn the_engine_tells_its_versions() {
    scene("info", async |scene| {
        let info = scene.engine.info().await.unwrap();
        let versions = info.versions();
        assert!(versions.contains_key("runc") || versions.contains_key("conmon"), "{versions:?}");
        assert!(info.settings().values().all(|value| !value.contains("unknown")), "{info:?}");
    })
    .await;
}
