//! A program that somebody brings. It need announce nothing: it is asked until it answers.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use tare_model::{ArtifactRecord, Group};

use super::super::process::{Process, Program, marks};
use super::super::target::Common;
use super::super::{Launched, Replicas, Separate, Startup, Target};
use super::{ProcessInstance, sizes};
use crate::artifacts::artifact;
use crate::sys::affinity;
use crate::sys::listeners::reachable_from_elsewhere;
use crate::workload::{Address, find_program};

/// Time between two attempts at a first answer: a two-thousandth of what a quick start takes.
pub const PAUSE: Duration = Duration::from_micros(200);

/// A program with its arguments, which may hold where to listen.
pub struct ForeignTarget {
    common: Common,
    folder: PathBuf,
    program: PathBuf,
    args: Vec<String>,
    /// The port that it insists on.
    port: Option<u16>,
    /// Whether its file is all of it: machine code, and not a program of the machine's that is given a script.
    is_whole: bool,
}

impl ForeignTarget {
    /// The command of a manifest in a folder.
    ///
    /// # Errors
    /// There is no such program.
    pub fn new(common: Common, folder: &Path, command: &[String], port: Option<u16>) -> Result<Self> {
        let (name, args) = command.split_first().map_or(("", &[][..]), |(name, args)| (name.as_str(), args));
        let program = find_program(name, folder)?;
        let is_whole = name.contains('/') && is_machine_code(&program)?;
        Ok(Self { common, folder: folder.into(), program, args: args.to_vec(), port, is_whole })
    }

    /// Its environment: what its file says, where to listen, and where to find programs.
    fn env(&self, address: Address) -> BTreeMap<String, String> {
        let mut env = address.env(&self.common.env);
        if let Ok(path) = std::env::var("PATH") {
            env.entry("PATH".into()).or_insert(path);
        }
        env
    }
}

#[async_trait(?Send)]
impl Target for ForeignTarget {
    fn artifacts(&self) -> Vec<ArtifactRecord> {
        let name = self.common.context.layout.relative(&self.program);
        artifact("program", name, &self.program).into_iter().collect()
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let port = self.port.map_or_else(|| "as it is told".to_owned(), |port| port.to_string());
        BTreeMap::from([
            ("arguments".into(), self.args.join(" ")),
            ("port".into(), port),
            ("readiness".into(), "asked every 0.2 ms".into()),
            ("cpus".into(), affinity::list(&self.common.context.cpus.subject)),
        ])
    }

    fn unavailable(&self) -> Vec<(Group, String)> {
        let script = "what it runs is interpreted, and what belongs to it besides the program's file is not known";
        let size = (!self.is_whole).then(|| (Group::Size, script.to_owned()));
        let reason = |port| format!("it always listens on port {port}, so that no two of it run beside each other");
        size.into_iter().chain(self.port.map(|port| (Group::Density, reason(port)))).collect()
    }

    fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        sizes(&self.program)
    }

    async fn launch(&self) -> Result<Launched> {
        let Common { context, probe, subject, .. } = &self.common;
        let address = Address::pick(self.port)?;
        let program = Program {
            path: &self.program,
            args: self.args.iter().map(|arg| address.fill(arg)).collect(),
            env: self.env(address),
            folder: Some(&self.folder),
            commands: false,
            // As whoever runs this program, like any that they start.
            as_nobody: false,
            log: self.common.log(),
        };
        let deadline = self.common.deadline();
        let (mut process, began) = Process::start(program, &context.cpus, &context.cancel)?;
        let mut given_up = || {
            let ended = process.ended().ok().flatten().map(|end| format!("before it answered, {end}"));
            context.cancel.given_up().or(ended)
        };
        let answered = probe.ask_until(address.0, PAUSE, deadline, &mut given_up)?;
        let marks = marks(process.heard(), "spawn");
        if reachable_from_elsewhere(process.pid(), address.0.port()) {
            context.notes.warn(format!(
                "{subject} listens on addresses that other machines can reach while it is measured: have it listen on \
                 {{addr}} or LISTEN_ADDR, which is on 127.0.0.1"
            ));
        }
        let instance = Box::new(ProcessInstance { process, addr: address.0 });
        Ok(Launched { instance, startup: Startup::new(began, marks, answered) })
    }

    fn replicas(&self) -> Result<Box<dyn Replicas + '_>> {
        Ok(Separate::of(self, Vec::new()))
    }
}

/// Whether a file is machine code, by its first bytes.
fn is_machine_code(program: &Path) -> Result<bool> {
    let mut first = [0; 4];
    let read = fs_err::File::open(program)?.read(&mut first)?;
    Ok(first[..read] == *b"\x7fELF")
}
