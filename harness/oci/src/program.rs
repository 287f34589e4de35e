//! The program of a container, and that it never outlives the runtime.

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::rc::Rc;

use anyhow::{Context, Result};
use libcontainer::oci_spec::runtime::Spec;
use libcontainer::workload::{Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{AccessFlags, access};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, getpid, pidfd_open};

use crate::FAILED;

/// What the container's first process becomes.
#[derive(Clone)]
pub(crate) struct Program {
    args: Vec<String>,
    env: Vec<(String, String)>,
    /// The runtime's process. A parent outside of the container has no number inside, by which it could be asked for.
    runtime: Rc<OwnedFd>,
}

impl Program {
    /// The program with its arguments, and the whole of its environment.
    pub(crate) fn new(args: &[String], env: &[(String, String)]) -> Result<Self> {
        let runtime = pidfd_open(getpid(), PidfdFlags::empty()).context("this process has no descriptor of itself")?;
        Ok(Self { args: args.to_vec(), env: env.to_vec(), runtime: Rc::new(runtime) })
    }

    /// From here on the kernel kills this process when the runtime ends, however that happens, and with it everything
    /// in the container. The kernel forgets that when the user changes, so it comes after; an `execve` keeps it.
    fn end_with_the_runtime(&self) -> io::Result<()> {
        set_pdeathsig(Signal::SIGKILL)?;
        let mut runtime = [PollFd::new(&*self.runtime, PollFlags::IN)];
        let ended = poll(&mut runtime, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0;
        if ended { Err(io::Error::other("the runtime has ended")) } else { Ok(()) }
    }
}

impl Executor for Program {
    /// Runs in the container as the program's user, before the container counts as created.
    fn validate(&self, _: &Spec) -> Result<(), ExecutorValidationError> {
        let invalid = |why: String| ExecutorValidationError::ArgValidationError(why);
        self.end_with_the_runtime().map_err(|error| invalid(error.to_string()))?;
        let program = &self.args[0];
        let found = std::fs::metadata(program).map_err(|error| {
            invalid(if error.kind() == io::ErrorKind::NotFound {
                format!("no program {program} is in the root file system: copy it there")
            } else {
                format!("{program} is out of reach ({error}): every folder from the root on must have the mode 755")
            })
        })?;
        if !found.is_file() {
            return Err(invalid(format!("{program} is no file: name the program itself")));
        }
        access(program.as_str(), AccessFlags::X_OK).map_err(|error| {
            invalid(format!("{program} may not be executed by everybody ({error}): set its mode to 755"))
        })
    }

    /// The environment is handed over when the program is executed.
    fn setup_envs(&self, _: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        Ok(())
    }

    fn exec(&self, _: &Spec) -> Result<(), ExecutorError> {
        let mut command = Command::new(&self.args[0]);
        command.args(&self.args[1..]).env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        // Programs expect that no signal is held back. That SIGPIPE is not ignored is seen to by the call below.
        let error = match SigSet::empty().thread_set_mask() {
            Ok(()) => command.exec(),
            Err(error) => error.into(),
        };
        self.fail(&error)
    }
}

impl Program {
    /// The runtime listens no more; a process of the container can but end.
    fn fail(&self, error: &io::Error) -> ! {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => ": it needs a loader that the root file system lacks: link it statically",
            _ => "",
        };
        let _ = writeln!(io::stderr(), "error: {} cannot be executed ({error}){hint}", self.args[0]);
        std::process::exit(i32::from(FAILED))
    }
}
