//! The text for a terminal.

use tare_model::{Group, Role, RunRecord, RunState, Sample};
use tare_report::{Style, terminal};
use tare_stats::summarise;

use crate::example::{content, failed, full, record, reference_of};

pub(crate) const NARROW: Style = Style { colour: false, width: 100 };

pub(crate) fn shown(record: &RunRecord, samples: &[Sample], style: Style) -> String {
    let summary = summarise(samples, &reference_of(record));
    terminal(&content(record, &summary, samples), style)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a whole report is long")]
fn a_full_run_with_all_kinds_of_cells() {
    let (record, samples) = full();
    insta::assert_snapshot!(shown(&record, &samples, NARROW), @r#"
    orders

                    size, MB ───────────────────────────  start-up, ms ──────────────────────────
                    shipped      compressed   all needed  cold                 warm engine
    native/process   1.92    1×  0.810    1×  1.92    1×  0.942 ±2%    1×      = cold
    wasmtime/aot    0.361 0.19×  0.124 0.15×  8.61 4.48×   3.62 ±2% 3.86× ±1%  1.84 ±2% 1.97× ±1%
    wasmtime/jit    0.361 0.19×  0.124 0.15×  22.4 11.7×   96.6 ±2%  103× ±1%  92.3 ±2% 98.5× ±1%
    wasmtime/reuse  0.361 0.19×  0.124 0.15×  8.61 4.48×  –                    –
    docker/scratch   1.92 1.00×  0.810 1.00×  1.92 1.00×   83.8 ±2% 89.0× ±0%  = cold
    docker/debian    75.9 39.5×   29.1 35.9×  75.9 39.5×    210 ±2%  219× ±6%  = cold
    docker/wasm     failed [1]   failed [1]   failed [1]  failed [1]           failed [1]

                    memory, MB ─────────────────────────────────────────────────
                    idle                peak under load     engine      cgroup
    native/process  1.21 ±2%    1×      4.30 ~3%    1×      –           –
    wasmtime/aot    8.41 ±2% 7.00× ±1%  14.2 ~2% 3.30× ~1%  (6.24) ±2%  –
    wasmtime/jit    31.0 ±2% 25.8× ±1%  38.9 ~2% 9.05× ~1%  (12.6) ±2%  –
    wasmtime/reuse  –                   –                   –           –
    docker/scratch  1.23 ±2% 1.02× ±0%  4.39 ~3% 1.02× ~0%   +2.46 ±2%  2.30 ±2%
    docker/debian   1.46 ±2% 1.21× ±3%  4.73 ~2% 1.12× ~6%   +3.25 ±2%  3.03 ±2%
    docker/wasm     failed [1]          failed [1]          –           –

                    full load, requests/s ──
                    throughput
    native/process  52,607 ~2%    1×     [2]
    wasmtime/aot    23,999 ~3% 0.46× ~6%
    wasmtime/jit    23,751 ~3% 0.46× ~6% [3]
    wasmtime/reuse  38,954 ~2% 0.74× ~0%
    docker/scratch  51,486 ~2% 0.98× ~0% [2]
    docker/debian    7,820 ~2% 0.15× ~6%
    docker/wasm     failed [1]

                    at one rate, µs ──────────────────────────────────────────────────────────────
                    median latency             99th percentile              CPU/request
    native/process  61.0 ~2%    1×                402 ~2%    1×             18.1 ~3%    1×
    wasmtime/aot    88.4 ~2% 1.45× ~1%            916 ~2% 2.28× ~1%         40.1 ~2% 2.21× ~1%
    wasmtime/jit    90.4 ~2% 1.48× ~1% [3]        939 ~2% 2.33× ~1% [3]     40.6 ~2% 2.24× ~1% [3]
    wasmtime/reuse  70.0 ~2% 1.15× ~0%            512 ~2% 1.27× ~0%         24.8 ~3% 1.37× ~0%
    docker/scratch  62.0 ~2% 1.02× ~0%            411 ~2% 1.02× ~0%         18.3 ~3% 1.01× ~0%
    docker/debian    211 ~3% 3.39× ~6% [4][5]  48,059 ~3%  117× ~6% [4][5]   119 ~2% 6.68× ~6%
    docker/wasm     failed [1]                 failed [1]                   failed [1]

    where the time of a cold start goes, ms
    native/process  0.942 ≈ spawn 0.411 + listen 0.110 + first answer 0.421
    wasmtime/aot     3.62 ≈ spawn 0.922 + engine 0.628 + load 1.21 + link 0.319 + listen 0.110 +
                    first answer 0.420
    wasmtime/jit     96.6 ≈ spawn 1.31 + engine 0.818 + compile 93.6 + link 0.319 + listen 0.110 +
                    first answer 0.420
    docker/scratch   83.8 ≈ create 31.1 + start 51.4 + ready 1.12
    docker/debian     210 ≈ create 33.5 + start 174 + ready 3.30

    What settings are worth
      wasmtime/aot    Wasm against a container, both for speed, over docker/scratch: cold start 0.043×,
                      idle memory + engine 2.29×, throughput 0.47× ~
      wasmtime/jit    compiled at start, over wasmtime/aot: cold start 26.7×, idle memory + engine
                      3.69×, throughput 0.99× ~
      wasmtime/reuse  an instance serves many requests, over wasmtime/aot: throughput 1.60× ~
      docker/scratch  in a container, over native/process: cold start 89.0×, idle memory + engine 3.06×,
                      throughput 0.98× ~
      ~               of 3 rounds: too few for a 95 % interval, so that this may be chance

    Noise
      drift  from the first round to the last, median over subjects: startup_cold -1.5 %, startup_warm
             -1.5 %, memory_pss -1.5 %, memory_cgroup -1.5 %, memory_engine -1.5 %

    How to read it
      ×            the value over that of native/process in the same round, median over rounds: not
                   always the quotient of the medians shown; a warm start over its cold start where it
                   has no engine of its own
      ±            the 95 % interval of the median (between order statistics) lies within this share of
                   it; both ends are in summary.csv
      ~            all rounds lie within this share of the median: a range, as fewer than six rounds
                   have no 95 % interval
      –            not measured
      ≈            each part is a median of its own, so that they add up to the total only about
      size         shipped: bytes of what it is started from: the component or what it was compiled to
                   ahead, the binary, or all layers of the image; compressed: the same as pulled (gzip);
                   all needed: all that must be on the machine to run it (host, container engine)
      start-up     from launch to the end of the first right answer; cold: nothing of the subject runs;
                   warm engine: deployed into a running Wasm host. `= cold`: no engine of its own that
                   could be warm; a container engine always runs
      memory       PSS (resident memory, shared pages divided among their users) of the subject's
                   processes; idle: having answered once; peak under load: the most that was read in a
                   load; engine: +x is what the engine runs for this subject besides, (x) is the part of
                   them that the empty Wasm host has; cgroup: what the container's cgroup is charged:
                   usage less inactive file cache
      full load    closed loop, every connection always busy; throughput: right answers per second
      at one rate  open loop at one rate for all subjects of a service; latency: from the moment at
                   which a request was due to the end of its right answer; median latency: half of the
                   requests took no longer; 99th percentile: 99 % of the requests took no longer (of
                   1,000 at least, of one round or of several together); CPU/request: CPU time of all
                   the subject's processes over the requests answered
      rounds       size: measured once, startup: 10, memory: 10, load: 3

    Marks
      [1]  orders/docker/wasm: the image was not built: no space left on device; free some (docker
           system df)
      [2]  more than 80 % of the 61,234 requests/s that the load generator reaches against a server that
           does nothing: the generator may be what limits it
      [3]  orders/wasmtime/jit, load, round 2: step `create` was answered 500 instead of 201
             expected {"status":"created"}
             found    {"title":"store"}
      [4]  orders/docker/debian answered 3,427 of the 4,000 requests/s sent: the latency is that of a
           growing queue
      [5]  orders/docker/debian: up to 17 requests of a round's open loop had no right answer

    Warnings
      !  the machine's load average was 1.9 when round 4 began

    Conditions
      run        20261122-182125, started 2026-11-22T18:21:25Z: complete, 10 of 10 rounds
      machine    Debian GNU/Linux 12, kernel 6.1.0, x86_64, Example CPU 3 GHz, 2 CPUs, 25.2 GB of
                 memory, cgroup v1, load average 0.07 at the start
      versions   docker 20.10.24, rustc 1.95.0, wasmtime 48.0.8, commit 0123abc
      precision  measured until the 95 % interval of the headline figure lies within 5 % of it: 0 of 5
                 subjects (startup_cold), 0 of 5 subjects (memory_pss), 0 of 6 subjects (throughput);
                 the others until the time or the rounds were spent
      starts     one with each instance that is measured, and as many more as 0.25 s a round allow; the
                 median of a round counts
      load       32 connections; open loop of 5 s at 4,000 requests/s (orders), 50 % of what the weakest
                 subject reaches, requests at random times as of many users (Poisson); closed loop of 3
                 s; each after a warm-up in windows of 1 s until two medians agree within 10 %; the
                 generator's ceiling is 61,234 requests/s; generator on CPU 0, which it keeps awake,
                 subjects on CPU 1
      command    tare compare --suite standard (suite standard, seed 42)

    Overview of orders

                    cold start ───────  idle memory + engine  throughput ────────
                    ms, log scale       MB                    requests/s
    native/process  0.942 █             1.21 ▌                52,607 ████████████
    wasmtime/aot     3.62 ███▊          8.41 ███▎             23,999 █████▌
    wasmtime/jit     96.6 ██████████▍   31.0 ████████████     23,751 █████▍
    wasmtime/reuse  –                   –                     38,954 ████████▉
    docker/scratch   83.8 ██████████▏   3.69 █▍               51,486 ███████████▊
    docker/debian     210 ████████████  4.71 █▉                7,820 █▊
    docker/wasm     –                   –                     –

    The answer
    At their best, figure by figure, Wasm ships 5.32 times fewer bytes without engine or host
    (wasmtime/aot against docker/scratch) and starts 23.0 [23.0, 23.1] times sooner (wasmtime/aot
    against docker/scratch); the container takes 2.29 [2.29, 2.29] times less memory when idle, with the
    engine's part (docker/scratch against wasmtime/aot) and answers 1.32 times as many requests
    (docker/scratch against wasmtime/reuse).
    With defaults (wasmtime/jit against docker/debian), Wasm ships 210 times fewer bytes without engine
    or host, starts 2.18 [2.12, 2.24] times sooner and answers 2.98 times as many requests; the
    container takes 6.46 [6.45, 6.82] times less memory when idle, with the engine's part.
    Which pair is compared decides who wins throughput (the container at best, Wasm with defaults); it
    makes no difference for the bytes shipped, the start and idle memory.
    Too few rounds for an interval: throughput.
    Factors are medians of each round's ratio, of one service with their 95 % intervals. The quotient of
    two medians in the tables is another figure; on a disturbed machine it may be quite another.
    The rate of requests of orders/native/process, orders/docker/scratch is marked: it may not be all
    that the subject can do, or not all answers were right.
    This run has a warning: read it before you rely on a figure.
    "#);
}

#[test]
fn what_was_not_asked_for_has_no_columns() {
    let (mut record, samples) = full();
    record.plan.only = vec![Group::Size, Group::Startup];
    record.failed.remove(0);
    let only = |sample: &Sample| record.plan.only.contains(&sample.metric.group);
    let samples: Vec<Sample> = samples.into_iter().filter(only).collect();
    insta::assert_snapshot!(shown(&record, &samples, NARROW), @r"
    orders

                    size, MB ───────────────────────────  start-up, ms ──────────────────────────
                    shipped      compressed   all needed  cold                 warm engine
    native/process   1.92    1×  0.810    1×  1.92    1×  0.942 ±2%    1×      = cold
    wasmtime/aot    0.361 0.19×  0.124 0.15×  8.61 4.48×   3.62 ±2% 3.86× ±1%  1.84 ±2% 1.97× ±1%
    wasmtime/jit    0.361 0.19×  0.124 0.15×  22.4 11.7×   96.6 ±2%  103× ±1%  92.3 ±2% 98.5× ±1%
    wasmtime/reuse  0.361 0.19×  0.124 0.15×  8.61 4.48×  –                    –
    docker/scratch   1.92 1.00×  0.810 1.00×  1.92 1.00×   83.8 ±2% 89.0× ±0%  = cold
    docker/debian    75.9 39.5×   29.1 35.9×  75.9 39.5×    210 ±2%  219× ±6%  = cold
    docker/wasm     failed [1]   failed [1]   failed [1]  failed [1]           failed [1]

    where the time of a cold start goes, ms
    native/process  0.942 ≈ spawn 0.411 + listen 0.110 + first answer 0.421
    wasmtime/aot     3.62 ≈ spawn 0.922 + engine 0.628 + load 1.21 + link 0.319 + listen 0.110 +
                    first answer 0.420
    wasmtime/jit     96.6 ≈ spawn 1.31 + engine 0.818 + compile 93.6 + link 0.319 + listen 0.110 +
                    first answer 0.420
    docker/scratch   83.8 ≈ create 31.1 + start 51.4 + ready 1.12
    docker/debian     210 ≈ create 33.5 + start 174 + ready 3.30

    What settings are worth
      wasmtime/aot    Wasm against a container, both for speed, over docker/scratch: cold start 0.043×
      wasmtime/jit    compiled at start, over wasmtime/aot: cold start 26.7×
      docker/scratch  in a container, over native/process: cold start 89.0×

    Noise
      drift  from the first round to the last, median over subjects: startup_cold -1.5 %, startup_warm
             -1.5 %

    How to read it
      ×         the value over that of native/process in the same round, median over rounds: not always
                the quotient of the medians shown; a warm start over its cold start where it has no
                engine of its own
      ±         the 95 % interval of the median (between order statistics) lies within this share of it;
                both ends are in summary.csv
      –         not measured
      ≈         each part is a median of its own, so that they add up to the total only about
      size      shipped: bytes of what it is started from: the component or what it was compiled to
                ahead, the binary, or all layers of the image; compressed: the same as pulled (gzip);
                all needed: all that must be on the machine to run it (host, container engine)
      start-up  from launch to the end of the first right answer; cold: nothing of the subject runs;
                warm engine: deployed into a running Wasm host. `= cold`: no engine of its own that
                could be warm; a container engine always runs
      rounds    size: measured once, startup: 10

    Marks
      [1]  orders/docker/wasm: the image was not built: no space left on device; free some (docker
           system df)

    Warnings
      !  the machine's load average was 1.9 when round 4 began

    Conditions
      run        20261122-182125, started 2026-11-22T18:21:25Z: complete, 10 of 10 rounds
      machine    Debian GNU/Linux 12, kernel 6.1.0, x86_64, Example CPU 3 GHz, 2 CPUs, 25.2 GB of
                 memory, cgroup v1, load average 0.07 at the start
      versions   docker 20.10.24, rustc 1.95.0, wasmtime 48.0.8, commit 0123abc
      precision  measured until the 95 % interval of the headline figure lies within 5 % of it: 0 of 5
                 subjects (startup_cold); the others until the time or the rounds were spent
      starts     one with each instance that is measured, and as many more as 0.25 s a round allow; the
                 median of a round counts
      command    tare compare --suite standard (suite standard, seed 42)

    Overview of orders

                    cold start ───────
                    ms, log scale
    native/process  0.942 █
    wasmtime/aot     3.62 ███▊
    wasmtime/jit     96.6 ██████████▍
    wasmtime/reuse  –
    docker/scratch   83.8 ██████████▏
    docker/debian     210 ████████████
    docker/wasm     –

    The answer
    At their best, figure by figure, Wasm ships 5.32 times fewer bytes without engine or host
    (wasmtime/aot against docker/scratch) and starts 23.0 [23.0, 23.1] times sooner (wasmtime/aot
    against docker/scratch).
    With defaults (wasmtime/jit against docker/debian), Wasm ships 210 times fewer bytes without engine
    or host and starts 2.18 [2.12, 2.24] times sooner.
    The winner is the same whichever pair is compared: the bytes shipped and the start.
    Factors are medians of each round's ratio, of one service with their 95 % intervals. The quotient of
    two medians in the tables is another figure; on a disturbed machine it may be quite another.
    This run has a warning: read it before you rely on a figure.
    ");
}

#[test]
fn three_rounds_have_ranges_and_a_run_cut_short_says_so() {
    let (mut record, samples) = full();
    record.state = RunState::Interrupted;
    record.plan.only = vec![Group::Startup];
    record.plan.subjects.truncate(2);
    record.failed.clear();
    record.warnings.clear();
    let early = |sample: &Sample| {
        (1..=3).contains(&sample.round)
            && sample.metric.group == Group::Startup
            && record.plan.subjects.contains(&sample.subject)
    };
    let samples: Vec<Sample> = samples.into_iter().filter(early).collect();
    insta::assert_snapshot!(shown(&record, &samples, NARROW), @r"
    orders

                    start-up, ms ──────────────────────────
                    cold                 warm engine
    native/process  0.940 ~2%    1×      = cold
    wasmtime/aot     3.63 ~2% 3.86× ~1%  1.85 ~2% 1.97× ~1%

    where the time of a cold start goes, ms
    native/process  0.940 ≈ spawn 0.410 + listen 0.111 + first answer 0.416
    wasmtime/aot     3.63 ≈ spawn 0.925 + engine 0.627 + load 1.21 + link 0.320 + listen 0.109 +
                    first answer 0.418

    How to read it
      ×         the value over that of native/process in the same round, median over rounds: not always
                the quotient of the medians shown; a warm start over its cold start where it has no
                engine of its own
      ~         all rounds lie within this share of the median: a range, as fewer than six rounds have
                no 95 % interval
      ≈         each part is a median of its own, so that they add up to the total only about
      start-up  from launch to the end of the first right answer; cold: nothing of the subject runs;
                warm engine: deployed into a running Wasm host. `= cold`: no engine of its own that
                could be warm; a container engine always runs
      rounds    startup: 3

    Conditions
      run        20261122-182125, started 2026-11-22T18:21:25Z: interrupted by the user, 3 of 10 rounds
      machine    Debian GNU/Linux 12, kernel 6.1.0, x86_64, Example CPU 3 GHz, 2 CPUs, 25.2 GB of
                 memory, cgroup v1, load average 0.07 at the start
      versions   docker 20.10.24, rustc 1.95.0, wasmtime 48.0.8, commit 0123abc
      precision  measured until the 95 % interval of the headline figure lies within 5 % of it: 0 of 2
                 subjects (startup_cold); the others until the time or the rounds were spent
      starts     one with each instance that is measured, and as many more as 0.25 s a round allow; the
                 median of a round counts
      command    tare compare --suite standard (suite standard, seed 42)

    Overview of orders

                    cold start ───────
                    ms
    native/process  0.940 ███▏
    wasmtime/aot     3.63 ████████████
    ");
}

#[test]
fn a_run_that_measured_nothing_tells_why() {
    let mut record = record(&["auth/native/process", "auth/docker/scratch"]);
    record.plan.only = vec![Group::Size];
    record.state = RunState::Running;
    record.failed = vec![failed("auth/docker/scratch", None, None, "no engine answers at /var/run/docker.sock")];
    insta::assert_snapshot!(shown(&record, &[], NARROW), @r"
    auth

                    size, GB ─────────────────────────
                    shipped     compressed  all needed
    native/process  –           –           –
    docker/scratch  failed [1]  failed [1]  failed [1]

    How to read it
      –     not measured
      size  shipped: bytes of what it is started from: the component or what it was compiled to ahead,
            the binary, or all layers of the image; compressed: the same as pulled (gzip); all needed:
            all that must be on the machine to run it (host, container engine)

    Marks
      [1]  auth/docker/scratch: no engine answers at /var/run/docker.sock

    Conditions
      run       20261122-182125, started 2026-11-22T18:21:25Z: not finished (it still runs, or was
                killed)
      machine   Debian GNU/Linux 12, kernel 6.1.0, x86_64, Example CPU 3 GHz, 2 CPUs, 25.2 GB of memory,
                cgroup v1, load average 0.07 at the start
      versions  docker 20.10.24, rustc 1.95.0, wasmtime 48.0.8, commit 0123abc
      command   tare compare --suite standard (suite standard, seed 42)
    ");
}

#[test]
fn every_line_fits_the_width() {
    let (record, samples) = full();
    for width in [72, 80, 100, 120, 200] {
        let text = shown(&record, &samples, Style { colour: false, width });
        for line in text.lines() {
            assert!(line.chars().count() <= width, "more than {width} columns: {line}");
            assert_eq!(line, line.trim_end(), "spaces at the end of a line");
        }
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let (record, samples) = full();
    let coloured = shown(&record, &samples, Style { colour: true, ..NARROW });
    assert!(coloured.contains('\u{1b}'));
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, code)) = rest.split_once('\u{1b}') {
        bare.push_str(before);
        rest = code.split_once('m').unwrap().1;
    }
    assert_eq!(bare + rest, shown(&record, &samples, NARROW));
}

#[test]
fn what_a_control_shows_stands_beside_the_figures() {
    let (mut record, samples) = full();
    let none = shown(&record, &samples, NARROW);
    assert!(!none.contains("Controls"));
    let reuse = record.platforms.iter_mut().flat_map(|platform| &mut platform.variants).find(|it| it.name == "reuse");
    let reuse = reuse.unwrap();
    (reuse.role, reuse.shows) = (Role::Control, Some("shows this; does not show that".into()));
    let text = shown(&record, &samples, NARROW);
    let controls = "Controls, measured to check the comparison and not to be chosen\n  \
                    wasmtime/reuse  shows this; does not show that\n";
    assert!(text.contains(controls), "{text}");
    assert!(text.contains("(a control that is weaker gets that share of its own)"), "{text}");
}
