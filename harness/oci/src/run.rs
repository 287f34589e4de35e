//! The life of one container.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use libcontainer::container::Container;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::syscall::syscall::SyscallType;
use nix::unistd::{Pid, setgroups};

use crate::cli::Args;
use crate::program::Program;
use crate::settings::Settings;
use crate::signals::{KILLED, Signals};
use crate::state::State;
use crate::{cgroup, events, spec};

/// What the library calls the container, in the folder of the run.
const NAME: &str = "container";

/// Runs the program until it ends, and removes what was made for it.
pub(crate) fn execute(args: &Args) -> Result<ExitCode> {
    let settings = Settings::try_from(args)?;
    // Before anything is made that would have to be removed.
    let signals = Signals::hold()?;
    let state = State::claim(&settings.state, &settings.id)?;
    let mut container = create(&settings, &state).context("the container could not be made")?;
    events::phase("create", events::now_ns());
    let ended = run(&mut container, &signals);
    if matches!(ended, Ok(KILLED)) && cgroup::went_over_memory(&settings.cgroup) {
        let _ = writeln!(std::io::stderr(), "it went over its memory limit and was killed");
    }
    let removed = container.delete(true).with_context(|| format!("the cgroup {} is left", settings.cgroup.display()));
    let code = ended?;
    removed?;
    Ok(code.into())
}

/// Everything but the program: its process waits to be told to execute it.
fn create(settings: &Settings, state: &State) -> Result<Container> {
    // What other groups the caller is in is nothing to the container.
    setgroups(&[]).context("the caller's other groups cannot be left")?;
    let bundle = state.bundle(&spec::of(settings)?)?;
    let program = Program::new(&settings.program, &settings.env)?;
    let container = ContainerBuilder::new(NAME.into(), SyscallType::default())
        .with_executor(program)
        .with_root_path(state.dir())?
        .as_init(bundle)
        .with_systemd(false)
        .build()?;
    // The library makes this process undumpable, and then nobody but root may read its memory's size. The container
    // does not see this process.
    nix::sys::prctl::set_dumpable(true).context("this process cannot be made readable again")?;
    Ok(container)
}

fn run(container: &mut Container, signals: &Signals) -> Result<u8> {
    let init = container.pid().context("the container has no process")?;
    container.start().context("the container could not be started")?;
    signals.wait_for(Pid::from_raw(init.as_raw()))
}
