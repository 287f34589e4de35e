//! What a fault is made of.

use nix::sys::signal::Signal;

use super::mutate::Damage;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Somebody wishes to end the program.
    Signal,
    /// What is measured does wrong.
    Subject,
    /// The container engine, or somebody who uses it, does wrong.
    Engine,
    /// The disk takes no more, or nothing at all.
    Disk,
    /// A file is not what it was.
    File,
}

/// A fault: what is done, and what must come out.
#[derive(Debug)]
pub struct Fault {
    /// What it is called.
    pub name: &'static str,
    /// What kind it is of.
    pub kind: Kind,
    /// What the program is asked for.
    pub task: Task,
    /// What is different from the beginning on.
    pub given: Given,
    /// What is done while it works.
    pub steps: &'static [Step],
    /// How it must end: one of these exit statuses, 128 and the number of a signal that ended it.
    pub exits: &'static [i32],
    /// What must be told, on the terminal or in the run's record.
    pub says: &'static [&'static str],
}

/// What the program is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Task {
    /// To measure the hostile program.
    Compare(Compare),
    /// To render the report of a sound run.
    Report,
    /// To read a file that is damaged, several times and in another way each time.
    Read(Victim, Damage),
}

/// A comparison of one subject.
#[derive(Debug, Clone, Copy)]
pub struct Compare {
    /// What the hostile program does.
    pub behaviour: &'static str,
    /// How it is brought.
    pub on: On,
    /// The suite.
    pub suite: &'static str,
    /// The families of metrics.
    pub only: &'static str,
    /// The most rounds.
    pub rounds: u32,
    /// Seconds that a start may take.
    pub start_s: u32,
}

/// How the hostile program is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// As a program.
    Program,
    /// As the command that is to build a good one.
    BuildCommand,
    /// In an empty image.
    Image,
    /// As a step of the build of an image.
    BuildImage,
}

/// A folder that the program uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// Of the runs.
    Results,
    /// Of the rendered reports.
    Reports,
    /// Of temporary files.
    Temporary,
    /// Of logs and of what it compiles.
    Work,
}

/// What is different from the beginning on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// Nothing.
    Usual,
    /// A folder on a disk with room for so many KiB.
    Room(Folder, u32),
    /// A folder that cannot be written to.
    ReadOnly(Folder),
    /// No engine at its socket.
    NoEngine,
    /// Something at its socket that never answers.
    MuteEngine,
    /// Another process measures.
    Busy,
    /// A standard output that takes nothing.
    FullOutput,
    /// A standard error that takes nothing.
    FullErrors,
    /// A standard output that nobody reads any more.
    ClosedOutput,
    /// So many open files, and no more.
    FewFiles(u32),
}

/// Something that is done when its moment has come.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What must have been seen, one after another.
    pub signs: &'static [Sign],
    /// How long after that, in milliseconds.
    pub pause_ms: u64,
    /// What is done then.
    pub deed: Deed,
}

/// By what it is seen how far the program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It has said this on standard error.
    Said(&'static str),
    /// The hostile program has marked this so many times.
    Marked(&'static str, usize),
    /// There is a report that is being rendered.
    Rendering,
    /// The engine runs the hostile program.
    Container,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The program gets a signal.
    Send(Signal),
    /// The engine's process stops where it is.
    PauseEngine,
    /// The engine's process gets a signal that ends it.
    EndEngine(Signal),
    /// The engine goes on, or is started again.
    RepairEngine,
    /// Somebody removes the container.
    RemoveContainer,
    /// Somebody pauses the container.
    PauseContainer,
    /// Somebody removes the folder of the run.
    RemoveRun,
}

/// A file that is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// A run's `run.json`.
    Record,
    /// A run's `samples.csv`.
    Samples,
    /// A run's `latencies.hlog`.
    Latencies,
    /// `claims.toml`.
    Claims,
    /// A `service.toml`.
    Service,
    /// A `scenario.toml`.
    Scenario,
    /// A component.
    Component,
}

impl Compare {
    /// The smallest amount of measuring.
    pub const QUICK: Self =
        Self { behaviour: "good", on: On::Program, suite: "quick", only: "size,startup", rounds: 1, start_s: 10 };

    /// The same with a load.
    pub const LOADED: Self = Self { only: "size,load", ..Self::QUICK };

    /// With a load that is long enough to be met.
    pub const LONG: Self = Self { suite: "standard", ..Self::LOADED };

    /// A comparison of what behaves so.
    pub const fn of(self, behaviour: &'static str) -> Self {
        Self { behaviour, ..self }
    }

    /// The same brought in another way.
    pub const fn on(self, on: On) -> Self {
        Self { on, ..self }
    }
}

impl Fault {
    /// Whether it takes a container engine.
    pub fn needs_engine(&self) -> bool {
        matches!(self.task, Task::Compare(Compare { on: On::Image | On::BuildImage, .. }))
    }

    /// Whether it ends or stops the engine's process.
    pub fn harms_engine(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.deed, Deed::PauseEngine | Deed::EndEngine(_)))
    }

    /// Whether it takes the rights of root, by which file systems are mounted.
    pub fn needs_root(&self) -> bool {
        self.harms_engine() || matches!(self.given, Given::Room(..) | Given::ReadOnly(_))
    }
}

impl std::fmt::Display for Fault {
    /// What is done and what must come out, in a line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.task {
            Task::Compare(Compare { behaviour, on, suite, only, .. }) => {
                write!(f, "compare --suite {suite} --only {only} of `{behaviour}` ({on:?})")?;
            }
            Task::Report => f.write_str("report of a sound run")?,
            Task::Read(victim, damage) => write!(f, "{victim:?}, {damage:?}")?,
        }
        if self.given != Given::Usual {
            write!(f, "; {:?}", self.given)?;
        }
        for Step { signs, pause_ms, deed } in self.steps {
            write!(f, "; after {signs:?} and {pause_ms} ms {deed:?}")?;
        }
        let exits: Vec<String> = self.exits.iter().map(ToString::to_string).collect();
        write!(f, " => exit {}", exits.join(" or "))?;
        if self.says.is_empty() { Ok(()) } else { write!(f, ", says {:?}", self.says) }
    }
}
