//! The result as Markdown.

use tare_report::markdown;
use tare_stats::summarise;

use crate::example::{content, full, reference_of};

#[test]
fn a_run_as_markdown() {
    let (record, samples) = full();
    let summary = summarise(&samples, &reference_of(&record));
    let content = content(&record, &summary, &samples);
    insta::assert_snapshot!(markdown(&content), @r#"
    # Wasm component or container?

    - At their best, figure by figure, Wasm ships 5.32 times fewer bytes without engine or host (wasmtime/aot against docker/scratch) and starts 23.0 [23.0, 23.1] times sooner (wasmtime/aot against docker/scratch); the container takes 2.29 [2.29, 2.29] times less memory when idle, with the engine's part (docker/scratch against wasmtime/aot) and answers 1.32 times as many requests (docker/scratch against wasmtime/reuse).
    - With defaults (wasmtime/jit against docker/debian), Wasm ships 210 times fewer bytes without engine or host, starts 2.18 [2.12, 2.24] times sooner and answers 2.98 times as many requests; the container takes 6.46 [6.45, 6.82] times less memory when idle, with the engine's part.
    - Which pair is compared decides who wins throughput (the container at best, Wasm with defaults); it makes no difference for the bytes shipped, the start and idle memory.
    - Too few rounds for an interval: throughput.
    - Factors are medians of each round's ratio, of one service with their 95 % intervals. The quotient of two medians in the tables is another figure; on a disturbed machine it may be quite another.
    - The rate of requests of orders/native/process, orders/docker/scratch is marked: it may not be all that the subject can do, or not all answers were right.
    - This run has a warning: read it before you rely on a figure.

    | orders | shipped, MB | cold start, ms | idle memory, MB | full load, requests/s | 99th percentile, ms | CPU per request, µs |
    |---|---|---|---|---|---|---|
    | native/process | 1.92 | 0.942 ±2% | 1.21 ±2% | 52,607 ~2% [1] | 0.402 ~2% | 18.1 ~3% |
    | wasmtime/aot | 0.361 | 3.62 ±2% | 8.41 ±2% | 23,999 ~3% | 0.916 ~2% | 40.1 ~2% |
    | wasmtime/jit | 0.361 | 96.6 ±2% | 31.0 ±2% | 23,751 ~3% | 0.939 ~2% | 40.6 ~2% |
    | wasmtime/reuse | 0.361 | – | – | 38,954 ~2% | 0.512 ~2% | 24.8 ~3% |
    | docker/scratch | 1.92 | 83.8 ±2% | 1.23 ±2% + 2.46 | 51,486 ~2% [1] | 0.411 ~2% | 18.3 ~3% |
    | docker/debian | 75.9 | 210 ±2% | 1.46 ±2% + 3.25 | 7,820 ~2% | 48.1 ~3% [2][3] | 119 ~2% |
    | docker/wasm | – | – | – | – | – | – |

    Medians over rounds; ± is how far the 95 % interval of the median reaches, ~ the range where there are fewer than six rounds. In idle memory: proportional set size of the processes that run the service + proportional set size of what the engine runs for this subject beside it.

    - [1] more than 80 % of the 61,234 requests/s that the load generator reaches against a server that does nothing: the generator may be what limits it
    - [2] orders/docker/debian answered 3,427 of the 4,000 requests/s sent: the latency is that of a growing queue
    - [3] orders/docker/debian: up to 17 requests of a round's open loop had no right answer

    ## Failed

    - orders/wasmtime/jit, load, round 2: step \`create\` was answered 500 instead of 201   expected {"status":"created"}   found    {"title":"store"}
    - orders/docker/wasm: the image was not built: no space left on device; free some (docker system df)

    ## Conditions

    - **run**: 20261122-182125, started 2026-11-22T18:21:25Z: complete, 10 of 10 rounds
    - **machine**: Debian GNU/Linux 12, kernel 6.1.0, x86_64, Example CPU 3 GHz, 2 CPUs, 25.2 GB of memory, cgroup v1, load average 0.07 at the start
    - **versions**: docker 20.10.24, rustc 1.95.0, wasmtime 48.0.8, commit 0123abc
    - **precision**: measured until the 95 % interval of the headline figure lies within 5 % of it: 0 of 5 subjects (startup_cold), 0 of 5 subjects (memory_pss), 0 of 6 subjects (throughput); the others until the time or the rounds were spent
    - **starts**: one with each instance that is measured, and as many more as 0.25 s a round allow; the median of a round counts
    - **load**: 32 connections; open loop of 5 s at 4,000 requests/s (orders), 50 % of what the weakest subject reaches, requests at random times as of many users (Poisson); closed loop of 3 s; each after a warm-up in windows of 1 s until two medians agree within 10 %; the generator's ceiling is 61,234 requests/s; generator on CPU 0, which it keeps awake, subjects on CPU 1
    - **command**: tare compare --suite standard (suite standard, seed 42)
    - **warning**: the machine's load average was 1.9 when round 4 began
    "#);
}
