//! Signals in every phase of a comparison, and other ways to end it.

use nix::sys::signal::Signal;

use super::super::fault::{Compare, Deed, Fault, Given, Kind, On, Sign, Step, Task};

/// One step.
macro_rules! step {
    ($signs:expr, $pause_ms:literal, $deed:expr) => {
        Step { signs: $signs, pause_ms: $pause_ms, deed: $deed }
    };
}
pub(super) use step;

/// A signal in a phase.
macro_rules! signalled {
    ($name:expr, $signal:ident => $exit:literal, $task:expr, $signs:expr, $pause_ms:literal) => {
        Fault {
            name: $name,
            kind: Kind::Signal,
            task: $task,
            given: Given::Usual,
            steps: &[step!($signs, $pause_ms, Deed::Send(Signal::$signal))],
            exits: &[$exit],
            says: &[],
        }
    };
}

/// Each of the signals in a phase.
macro_rules! in_phase {
    ($phase:literal, $task:expr, $signs:expr, $pause_ms:literal) => {
        [
            signalled!(concat!("int-in-", $phase), SIGINT => 130, $task, $signs, $pause_ms),
            signalled!(concat!("term-in-", $phase), SIGTERM => 130, $task, $signs, $pause_ms),
            signalled!(concat!("hup-in-", $phase), SIGHUP => 130, $task, $signs, $pause_ms),
            signalled!(concat!("quit-in-", $phase), SIGQUIT => 130, $task, $signs, $pause_ms),
            signalled!(concat!("kill-in-", $phase), SIGKILL => 137, $task, $signs, $pause_ms),
        ]
    };
}

const QUICK: Compare = Compare::QUICK;
const LOADED: Compare = Compare::LOADED;
const LONG: Compare = Compare::LONG;
const ROUNDS: Compare = Compare { rounds: 20, ..QUICK };
const MEMORY: Compare = Compare { only: "size,memory", ..QUICK };
const SIZES: Compare = Compare { only: "size", ..QUICK };

const VERIFYING: Sign = Sign::Said("verify ");
const FIRST_ROUND: Sign = Sign::Said("round 1: ");

const PHASES: &[[Fault; 5]] = &[
    in_phase!("image-build", Task::Compare(QUICK.of("mute").on(On::BuildImage)), &[Sign::Container], 100),
    in_phase!("verification", Task::Compare(QUICK.of("silent-later")), &[VERIFYING, Sign::Marked("request 2", 1)], 50),
    in_phase!("hanging-start", Task::Compare(QUICK.of("mute")), &[VERIFYING, Sign::Marked("started", 1)], 200),
    in_phase!("start-up-rounds", Task::Compare(ROUNDS), &[Sign::Said("round 3: ")], 0),
    in_phase!("warm-up", Task::Compare(LONG.of("unsteady")), &[FIRST_ROUND, Sign::Marked("load", 2)], 20),
    in_phase!("load", Task::Compare(LONG), &[FIRST_ROUND, Sign::Marked("load", 2)], 250),
    in_phase!("idle-sampling", Task::Compare(MEMORY), &[FIRST_ROUND, Sign::Marked("request 1", 2)], 5),
    in_phase!("stop", Task::Compare(QUICK.of("ignores-term")), &[FIRST_ROUND, Sign::Marked("term", 2)], 100),
    in_phase!("rendering", Task::Compare(SIZES), &[Sign::Rendering], 0),
];

/// The signals in all phases.
pub const IN_PHASES: &[Fault] = PHASES.as_flattened();

/// A wish to end at other moments, or in other ways.
pub const OTHERS: &[Fault] = &[
    signalled!("int-in-silent-start", SIGINT => 130, Task::Compare(QUICK.of("silent")), &[VERIFYING, Sign::Marked("request 1", 1)], 300),
    signalled!("int-in-dripping-start", SIGINT => 130, Task::Compare(QUICK.of("drip")), &[VERIFYING, Sign::Marked("request 1", 1)], 300),
    signalled!("int-in-build-command", SIGINT => 130, Task::Compare(QUICK.of("mute").on(On::BuildCommand)), &[Sign::Marked("started", 1)], 100),
    signalled!("kill-in-build-command", SIGKILL => 137, Task::Compare(QUICK.of("mute").on(On::BuildCommand)), &[Sign::Marked("started", 1)], 100),
    signalled!("int-in-report", SIGINT => 130, Task::Report, &[Sign::Rendering], 0),
    signalled!("kill-in-report", SIGKILL => 137, Task::Report, &[Sign::Rendering], 0),
    signalled!("int-in-container-start", SIGINT => 130, Task::Compare(QUICK.of("mute").on(On::Image)), &[VERIFYING, Sign::Container], 200),
    signalled!("kill-in-container-start", SIGKILL => 137, Task::Compare(QUICK.of("mute").on(On::Image)), &[VERIFYING, Sign::Container], 200),
    signalled!("int-in-container-load", SIGINT => 130, Task::Compare(LONG.on(On::Image)), &[FIRST_ROUND, Sign::Container], 400),
    signalled!("kill-in-container-load", SIGKILL => 137, Task::Compare(LONG.on(On::Image)), &[FIRST_ROUND, Sign::Container], 400),
    Fault {
        given: Given::Busy,
        ..signalled!("int-in-waiting", SIGINT => 130, Task::Compare(QUICK), &[Sign::Said("waiting for it to end")], 300)
    },
    Fault {
        steps: &[
            step!(&[FIRST_ROUND, Sign::Marked("term", 2)], 0, Deed::Send(Signal::SIGINT)),
            step!(&[], 20, Deed::Send(Signal::SIGTERM)),
            step!(&[], 20, Deed::Send(Signal::SIGHUP)),
            step!(&[], 20, Deed::Send(Signal::SIGINT)),
        ],
        ..signalled!("four-signals-in-stop", SIGINT => 130, Task::Compare(QUICK.of("ignores-term")), &[], 0)
    },
    // Ctrl-Z and `fg`: what was being measured meanwhile is of another machine.
    Fault {
        steps: &[
            step!(&[FIRST_ROUND, Sign::Marked("load", 2)], 200, Deed::Send(Signal::SIGSTOP)),
            step!(&[], 3000, Deed::Send(Signal::SIGCONT)),
        ],
        exits: &[0, 1],
        says: &["late"],
        ..signalled!("stopped-for-a-while-in-load", SIGSTOP => 0, Task::Compare(LONG), &[], 0)
    },
    // All that is left of the subject is ended, whatever it has started.
    signalled!("int-with-a-daemon", SIGINT => 130, Task::Compare(Compare { rounds: 20, ..LOADED }.of("leaver")), &[Sign::Said("round 2: ")], 0),
    signalled!("kill-with-a-daemon", SIGKILL => 137, Task::Compare(Compare { rounds: 20, ..LOADED }.of("leaver")), &[Sign::Said("round 2: ")], 0),
];
