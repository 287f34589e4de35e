//! What is tried: each deed for real, by the calls that its target has.

#[cfg(target_os = "wasi")]
mod guest;
#[cfg(not(target_os = "wasi"))]
mod machine;

use std::fs;
use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::RwLock;
use std::thread;

use service_kit::{Problem, random_id};

#[cfg(target_os = "wasi")]
use guest::{connect, gain_privileges};
#[cfg(not(target_os = "wasi"))]
use machine::{connect, gain_privileges};

/// A deed with what it is done to.
#[derive(Debug)]
pub(crate) enum Deed {
    /// Reading a file, by its path.
    ReadFile(String),
    /// Reading a variable of the environment, by its name.
    SeeEnvironment(String),
    /// Opening a connection.
    Connect(SocketAddr),
    /// Making a file in the root folder.
    WriteRoot,
    /// Becoming root, or being able to.
    GainPrivileges,
    /// Using so much memory, in MiB.
    ExceedMemory(usize),
    /// Running so many threads at once.
    ExceedTasks(usize),
}

/// How a deed was done, or what prevented it.
pub(crate) type Tried = Result<String, String>;

/// The most of a file or a variable that is told, in bytes.
const TOLD: usize = 256;

/// Bytes of the smallest page of memory.
const PAGE: usize = 4096;

/// Bytes of the stack of a thread that only waits.
const STACK: usize = 64 << 10;

impl Deed {
    /// A deed by its name, done to what `with` says.
    ///
    /// # Errors
    /// There is no such deed, or it cannot be done to that.
    pub(crate) fn read(name: &str, with: &str) -> Result<Self, Problem> {
        let unfit = || Problem::bad_request(format!("`{with}` is nothing that {name} can be tried with."));
        let number = || with.parse().map_err(|_| unfit());
        Ok(match name {
            "read-file" => Self::ReadFile(with.into()),
            "see-environment" => Self::SeeEnvironment(with.into()),
            "connect" => Self::Connect(with.parse().map_err(|_| unfit())?),
            "write-root" => Self::WriteRoot,
            "gain-privileges" => Self::GainPrivileges,
            "exceed-memory" => Self::ExceedMemory(number()?),
            "exceed-tasks" => Self::ExceedTasks(number()?),
            _ => return Err(Problem::not_found(format!("There is no deed `{name}`."))),
        })
    }

    /// Tries it. What it changes is undone.
    ///
    /// # Errors
    /// Whether it could be done is not known.
    pub(crate) fn attempt(self) -> Result<Tried, Problem> {
        Ok(match self {
            Self::ReadFile(path) => read_file(&path),
            Self::SeeEnvironment(name) => see_environment(&name),
            Self::Connect(addr) => connect(addr),
            Self::WriteRoot => write_root(),
            Self::GainPrivileges => gain_privileges()?,
            Self::ExceedMemory(mib) => exceed_memory(mib),
            Self::ExceedTasks(threads) => exceed_tasks(threads),
        })
    }
}

fn read_file(path: &str) -> Tried {
    let content = fs::read(path).map_err(|error| error.to_string())?;
    Ok(format!("it holds `{}`", told(&content)))
}

fn see_environment(name: &str) -> Tried {
    let value = std::env::var_os(name).ok_or("there is no such variable")?;
    Ok(format!("it is `{}`", told(value.as_encoded_bytes())))
}

fn told(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(TOLD)]).into_owned()
}

fn write_root() -> Tried {
    let path = format!("/intruder-{}", random_id());
    fs::write(&path, "an intruder was here\n").map_err(|error| error.to_string())?;
    let removed = fs::remove_file(&path);
    Ok(removed.map_or_else(|error| format!("{path} is written and stays: {error}"), |()| format!("wrote {path}")))
}

fn exceed_memory(mib: usize) -> Tried {
    let refused = || format!("the allocation of {mib} MiB was refused");
    let bytes = mib.checked_mul(1 << 20).ok_or_else(refused)?;
    let mut memory: Vec<u8> = Vec::new();
    memory.try_reserve_exact(bytes).map_err(|_| refused())?;
    memory.resize(bytes, 0);
    // What is zero may be no memory yet.
    memory.iter_mut().step_by(PAGE).for_each(|byte| *byte = 1);
    black_box(&mut memory);
    Ok(format!("{mib} MiB were used"))
}

fn exceed_tasks(threads: usize) -> Tried {
    let gate = RwLock::new(());
    thread::scope(|scope| {
        // Let go of when all were started, or one could not be.
        let _closed = gate.write();
        for started in 0..threads {
            let spawned = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || drop(gate.read()));
            spawned.map_err(|error| format!("after {started} threads: {error}"))?;
        }
        Ok(format!("{threads} threads ran at once"))
    })
}
