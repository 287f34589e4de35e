//! The entries, in the order of tables and charts.

use tare_model::Metric;
use tare_model::metrics::{
    CPU_PER_REQUEST, LATENCY, LOAD_ERRORS, MEMORY_CGROUP, MEMORY_ENGINE, MEMORY_HIGH_WATER, MEMORY_INSTANCES,
    MEMORY_PER_INSTANCE, MEMORY_PSS, MEMORY_TRACE, SIZE, STARTUP_COLD, STARTUP_WARM, SUSTAINED_RATE, SWEEP_LATENCY,
    THROUGHPUT, WARM_UP,
};

use super::kinds::{Along, Below, CellKind, Chart, ChartKind, Column, Heading, Parts, Percentiles, Question};
use super::{Entry, Section, sections};
use crate::charts::AxisScale;

/// An entry that is shown nowhere yet.
const fn entry(section: &'static Section, metric: &'static Metric, phase: &'static str, name: &'static str) -> Entry {
    Entry {
        metric,
        phase,
        plus: None,
        section,
        name,
        explanation: None,
        column: None,
        below: None,
        markdown: None,
        overview: false,
        baselines: None,
        question: None,
        charts: &[],
    }
}

const fn column(title: &'static str, kind: CellKind) -> Column {
    Column { title, kind }
}

const fn heading(name: &'static str, title: &'static str, says: &'static str) -> Heading {
    Heading { name, title, says }
}

const fn chart(name: &'static str, title: &'static str, says: &'static str, kind: ChartKind) -> Chart {
    Chart { heading: heading(name, title, says), kind }
}

/// What is to be known of every chart of ratios.
const TO_BASELINE: &str = "Ratio to the baseline in the same round: 1 is no difference.";

/// The metrics that no table and no chart has, each with the reason.
pub(crate) const NOT_SHOWN: &[(&Metric, &str)] = &[
    (&LOAD_ERRORS, "the marks of the figures that it concerns have it"),
    (&WARM_UP, "it tells how the load was taken, not how a subject does; it is in summary.csv"),
];

/// What is shown.
pub(crate) const ENTRIES: &[Entry] = &[
    Entry {
        explanation: Some(
            "bytes of what it is started from: the component or what it was compiled to ahead, the binary, or all layers of the \
             image",
        ),
        column: Some(column("shipped", CellKind::Plain)),
        markdown: Some("shipped"),
        question: Some(Question {
            wins: "ships {} times fewer bytes without engine or host",
            best: "ships the fewest bytes",
            called: "the bytes shipped",
        }),
        charts: &[chart(
            "size-shipped",
            "bytes shipped",
            "What it is started from, uncompressed: the component or what it was compiled to ahead, the binary, or all layers of \
             the image.",
            ChartKind::Dots,
        )],
        ..entry(sections::SIZE, &SIZE, "artifact", "bytes shipped")
    },
    Entry {
        explanation: Some("the same as pulled (gzip)"),
        column: Some(column("compressed", CellKind::Plain)),
        charts: &[chart(
            "size-compressed",
            "bytes pulled",
            "The same after gzip, as a registry sends it.",
            ChartKind::Dots,
        )],
        ..entry(sections::SIZE, &SIZE, "compressed", "bytes pulled")
    },
    Entry {
        explanation: Some("of what is compiled ahead, the component that runs on any machine"),
        column: Some(column("portable", CellKind::Partial)),
        ..entry(sections::SIZE, &SIZE, "portable", "the portable component")
    },
    Entry {
        explanation: Some("all that must be on the machine to run it (host, container engine)"),
        column: Some(column("all needed", CellKind::Plain)),
        charts: &[chart(
            "size-needed",
            "all that must be on the machine",
            "Shares of each subject's own total: its own bytes, what services share (Wasm host, base layers), and the \
             engine's programs.",
            ChartKind::Parts(Parts {
                whole: "all that is needed",
                shares: true,
                rest: "own",
                within: &[("shared by services", &SIZE, "shared"), ("engine", &SIZE, "engine")],
                added: &[],
            }),
        )],
        ..entry(sections::SIZE, &SIZE, "total", "all that must be on the machine")
    },
    Entry {
        explanation: Some("nothing of the subject runs"),
        column: Some(column("cold", CellKind::Plain)),
        below: Some(Below::Phases("where the time of a cold start goes")),
        markdown: Some("cold start"),
        overview: true,
        baselines: Some(heading("settings-startup", "cold start, over the baseline", TO_BASELINE)),
        question: Some(Question { wins: "starts {} times sooner", best: "starts soonest", called: "the start" }),
        charts: &[
            chart("startup-cold", "cold start", "With nothing of the subject running before.", ChartKind::Dots),
            chart(
                "startup-phases",
                "where the time of a cold start goes",
                "Shares of each subject's own total. Each part is a median of its own, so that they add up only about.",
                ChartKind::Phases("the cold start"),
            ),
            chart("startup-samples", "every cold start", "One sample for each round.", ChartKind::Samples),
        ],
        ..entry(sections::STARTUP, &STARTUP_COLD, "total", "cold start")
    },
    Entry {
        explanation: Some(
            "deployed into a running Wasm host. `= cold`: no engine of its own that could be warm; a container engine \
             always runs",
        ),
        column: Some(column("warm engine", CellKind::Warm)),
        charts: &[chart(
            "startup-warm",
            "start in a running engine",
            "A component deployed into a running Wasm host. A container engine always runs: a container's cold start is \
             this.",
            ChartKind::Dots,
        )],
        ..entry(sections::STARTUP, &STARTUP_WARM, "total", "start in a running engine")
    },
    Entry {
        explanation: Some("having answered once"),
        plus: Some((&MEMORY_ENGINE, "idle")),
        column: Some(column("idle", CellKind::Plain)),
        markdown: Some("idle memory"),
        overview: true,
        baselines: Some(heading(
            "settings-memory",
            "idle memory and what the engine runs for it, over the baseline",
            TO_BASELINE,
        )),
        question: Some(Question {
            wins: "takes {} times less memory when idle, with the engine's part",
            best: "takes the least memory when idle",
            called: "idle memory",
        }),
        charts: &[chart(
            "memory-idle",
            "idle memory by process",
            "The service's processes, of a Wasm host apart what it takes before it has loaded anything, and shim and proxy \
             of a container.",
            ChartKind::Parts(Parts {
                whole: "PSS when idle",
                shares: false,
                rest: "service",
                within: &[("empty Wasm host", &MEMORY_ENGINE, "empty")],
                added: &[("engine", &MEMORY_ENGINE, "idle")],
            }),
        )],
        ..entry(sections::MEMORY, &MEMORY_PSS, "idle", "idle memory + engine")
    },
    Entry {
        explanation: Some("the most that was read in a load"),
        column: Some(column("peak under load", CellKind::Plain)),
        ..entry(sections::MEMORY, &MEMORY_PSS, "peak", "peak memory")
    },
    Entry {
        explanation: Some(
            "+x is what the engine runs for this subject besides, (x) is the part of them that the empty Wasm host has",
        ),
        column: Some(column("engine", CellKind::Engine { within: "empty" })),
        ..entry(sections::MEMORY, &MEMORY_ENGINE, "idle", "memory of the engine")
    },
    Entry {
        column: Some(column("cgroup", CellKind::Partial)),
        ..entry(sections::MEMORY, &MEMORY_CGROUP, "idle", "memory of the cgroup")
    },
    Entry {
        charts: &[chart(
            "memory-over-time",
            "memory over time",
            "PSS of the service's processes from the beginning of the open loop's warm-up to the end of the loop, medians \
             over rounds. A curve ends where the shortest round did.",
            ChartKind::Along(Along {
                x: ("since the load began", "ms", AxisScale::Auto),
                y: ("PSS", AxisScale::Auto),
                in_all_rounds: true,
                objective: false,
            }),
        )],
        ..entry(sections::MEMORY, &MEMORY_TRACE, "pss", "memory over time")
    },
    Entry {
        column: Some(column("one more", CellKind::Partial)),
        markdown: Some("one more instance"),
        question: Some(Question {
            wins: "takes {} times less memory for each further instance",
            best: "takes the least memory for each further instance",
            called: "memory of a further instance",
        }),
        charts: &[chart(
            "memory-one-more",
            "memory of each further instance",
            "Slope over several instances side by side, shims and port proxies included, the engine's daemons not.",
            ChartKind::Dots,
        )],
        ..entry(sections::MEMORY, &MEMORY_PER_INSTANCE, "total", "memory of a further instance")
    },
    Entry {
        charts: &[chart(
            "memory-instances",
            "memory of several instances",
            "Each has answered before the next was started; without the engine's daemons.",
            ChartKind::Along(Along {
                x: ("instances", "", AxisScale::Auto),
                y: ("PSS", AxisScale::Auto),
                in_all_rounds: false,
                objective: false,
            }),
        )],
        ..entry(sections::MEMORY, &MEMORY_INSTANCES, "total", "memory of several instances")
    },
    Entry {
        explanation: Some("the largest RSS that the kernel saw; shared pages count in full"),
        column: Some(column("high water", CellKind::Partial)),
        charts: &[chart(
            "memory-high-water",
            "the most that the kernel ever saw resident",
            "Shared pages count in full, so this is above PSS.",
            ChartKind::Dots,
        )],
        ..entry(sections::MEMORY, &MEMORY_HIGH_WATER, "rss", "high water")
    },
    Entry {
        column: Some(column("throughput", CellKind::Plain)),
        markdown: Some("full load"),
        overview: true,
        baselines: Some(heading("settings-throughput", "throughput, over the baseline", TO_BASELINE)),
        question: Some(Question {
            wins: "answers {} times as many requests",
            best: "answers the most requests",
            called: "throughput",
        }),
        charts: &[chart(
            "load-throughput",
            "throughput at full load",
            "Closed loop: every connection is always busy.",
            ChartKind::Dots,
        )],
        ..entry(sections::FULL_LOAD, &THROUGHPUT, "closed", "throughput")
    },
    Entry {
        below: Some(Below::Sweep),
        charts: &[chart(
            "load-sweep",
            "latency against rate",
            "Open loop: 99th percentile from the moment at which a request was due, at rates common to all subjects, up to \
             the first that is not sustained.",
            ChartKind::Along(Along {
                x: ("rate", "requests/s", AxisScale::Log),
                y: ("latency", AxisScale::Log),
                in_all_rounds: false,
                objective: true,
            }),
        )],
        ..entry(sections::AT_ONE_RATE, &SWEEP_LATENCY, "p99", "latency at each rate")
    },
    Entry {
        explanation: Some("see rate sweep"),
        column: Some(column("sustained", CellKind::Partial)),
        markdown: Some("sustained"),
        charts: &[chart(
            "load-sustained",
            "highest rate that was sustained",
            "The 99th percentile within the service's objective, no queue left and no answer wrong; right to a factor of \
             √2, the step of the sweep; ≥ where the sweep ended first.",
            ChartKind::Dots,
        )],
        ..entry(sections::FULL_LOAD, &SUSTAINED_RATE, "p99", "sustained rate")
    },
    Entry {
        explanation: Some("half of the requests took no longer"),
        column: Some(column("median latency", CellKind::Plain)),
        ..entry(sections::AT_ONE_RATE, &LATENCY, "open_p50", "median latency")
    },
    Entry {
        explanation: Some(
            "99 % of the requests took no longer (of 1,000 at least, of one round or of several together)",
        ),
        column: Some(column("99th percentile", CellKind::Plain)),
        markdown: Some("99th percentile"),
        charts: &[chart(
            "load-percentiles",
            "latency by percentile",
            "Open loop at one rate for all subjects of the service: this share of requests was answered within so long.",
            ChartKind::Percentiles(Percentiles {
                y: "latency",
                x: "share of requests",
                phases: &[
                    ("open_p50", "50 %"),
                    ("open_p90", "90 %"),
                    ("open_p99", "99 %"),
                    ("open_p999", "99.9 %"),
                    ("open_max", "all"),
                ],
            }),
        )],
        ..entry(sections::AT_ONE_RATE, &LATENCY, "open_p99", "99th percentile of the latency")
    },
    Entry {
        explanation: Some("CPU time of all the subject's processes over the requests answered"),
        column: Some(column("CPU/request", CellKind::Plain)),
        markdown: Some("CPU per request"),
        charts: &[chart(
            "load-cpu",
            "CPU time per request",
            "Open loop at one rate for all subjects of the service; of all the subject's processes, what the engine runs for it \
             included.",
            ChartKind::Dots,
        )],
        ..entry(sections::AT_ONE_RATE, &CPU_PER_REQUEST, "open", "CPU time per request")
    },
];
