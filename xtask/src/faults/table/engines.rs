//! The container engine does wrong, or somebody else who uses it.

use nix::sys::signal::Signal;

use super::super::fault::{Compare, Deed, Fault, Given, Kind, On, Sign, Step, Task};
use super::signals::step;

const START: Compare = Compare::QUICK.of("mute").on(On::Image);
const LOAD: Compare = Compare::LONG.on(On::Image);
const BUILD: Compare = Compare::QUICK.of("mute").on(On::BuildImage);

const STARTING: &[Sign] = &[Sign::Said("verify "), Sign::Container];
const LOADING: &[Sign] = &[Sign::Said("round 1: "), Sign::Container];

/// Something that happens to the engine.
const fn engine(name: &'static str, it: Compare, steps: &'static [Step], exits: &'static [i32]) -> Fault {
    Fault { name, kind: Kind::Engine, task: Task::Compare(it), given: Given::Usual, steps, exits, says: &[] }
}

const INT: Deed = Deed::Send(Signal::SIGINT);
const PAUSE: Deed = Deed::PauseEngine;
const REPAIR: Deed = Deed::RepairEngine;

/// All of them.
pub const FAULTS: &[Fault] = &[
    engine("engine-paused-in-start", START, &[step!(STARTING, 200, PAUSE), step!(&[], 500, INT)], &[130]),
    engine("engine-paused-in-load", LOAD, &[step!(LOADING, 300, PAUSE), step!(&[], 500, INT)], &[130]),
    engine("engine-paused-in-build", BUILD, &[step!(&[Sign::Container], 200, PAUSE), step!(&[], 500, INT)], &[130]),
    engine("engine-paused-in-stop", LOAD, &[step!(LOADING, 300, PAUSE), step!(&[], 4000, INT)], &[130]),
    engine(
        "engine-paused-and-killed",
        LOAD,
        &[step!(LOADING, 300, PAUSE), step!(&[], 500, Deed::Send(Signal::SIGKILL))],
        &[137],
    ),
    engine("engine-paused-for-3-s", LOAD, &[step!(LOADING, 300, PAUSE), step!(&[], 3000, REPAIR)], &[0, 1]),
    Fault {
        says: &["measured again"],
        ..engine(
            "engine-paused-for-2-s-in-start",
            Compare::QUICK.on(On::Image),
            &[step!(&[Sign::Said("round 1: ")], 0, PAUSE), step!(&[], 2000, REPAIR)],
            &[0],
        )
    },
    engine(
        "engine-restarted-in-load",
        LOAD,
        &[step!(LOADING, 300, Deed::EndEngine(Signal::SIGTERM)), step!(&[], 0, REPAIR)],
        &[1],
    ),
    engine(
        "engine-restarted-in-start",
        START,
        &[step!(STARTING, 200, Deed::EndEngine(Signal::SIGTERM)), step!(&[], 0, REPAIR)],
        &[1],
    ),
    engine(
        "engine-killed-in-load",
        LOAD,
        &[step!(LOADING, 300, Deed::EndEngine(Signal::SIGKILL)), step!(&[], 0, REPAIR)],
        &[1],
    ),
    engine("container-removed-in-load", LOAD, &[step!(LOADING, 300, Deed::RemoveContainer)], &[1]),
    engine("container-removed-in-start", START, &[step!(STARTING, 200, Deed::RemoveContainer)], &[1]),
    engine(
        "container-paused-in-load",
        LOAD,
        &[step!(LOADING, 300, Deed::PauseContainer), step!(&[], 500, INT)],
        &[130],
    ),
    Fault { given: Given::NoEngine, says: &["no container engine"], ..engine("no-engine", LOAD, &[], &[1, 2]) },
    Fault { given: Given::MuteEngine, ..engine("engine-mute", LOAD, &[step!(&[], 1500, INT)], &[130]) },
];
