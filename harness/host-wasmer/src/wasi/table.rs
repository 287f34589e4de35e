//! The table of host functions: what is there, and finding it.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::abi::{Allowance, Flat, Flats, Guest, Lift, Lower, Own, Resource, Sink, Trap, aligned};
use crate::plan::Callee;
use crate::state::State;

use super::{Entry, cli, clocks, config, filesystem, http, io, keyvalue, random, sockets};

/// What a host function works with while a guest waits for it.
pub trait Caller: Sink {
    /// The memory of the guest.
    fn guest(&self) -> Guest<'_>;

    /// The instance's state.
    fn state(&mut self) -> &mut State;
}

type Body = Box<dyn Fn(&mut dyn Caller, &[u64]) -> Result<u64, Trap> + Send + Sync>;

/// A function that components may import.
pub struct HostFunction {
    /// The interface that it belongs to, with as much of the version as matters: `wasi:io/streams@0.2`.
    pub interface: &'static str,
    /// Its name in there, as the component model writes it: `[method]input-stream.read`.
    pub name: &'static str,
    /// The types of its core parameters.
    pub params: Vec<Flat>,
    /// The type of its core result, if it has one.
    pub result: Option<Flat>,
    body: Body,
}

impl HostFunction {
    /// A function from its Rust side, whose types are those of WIT.
    ///
    /// A result that does not fit into one core value passes through memory: its address is the last parameter.
    fn new<A: Lift, R: Lower>(
        interface: &'static str,
        name: &'static str,
        body: impl Fn(&mut State, A) -> Result<R, Trap> + Send + Sync + 'static,
    ) -> Self {
        let mut params = Vec::new();
        A::flatten(&mut params);
        let mut results = Vec::new();
        R::flatten(&mut results);
        let through_memory = R::WIDTH > 1;
        let result = if through_memory { None } else { results.first().copied() };
        if through_memory {
            params.push(Flat::I32);
        }
        let body = move |caller: &mut dyn Caller, values: &[u64]| {
            let mut flats = Flats::new(values);
            let args = A::lift(caller.guest().within(&Allowance::default()), &mut flats)?;
            let result = body(caller.state(), args)?;
            if !through_memory {
                return Ok(result.flat());
            }
            let at = flats.take_u32();
            aligned(at, R::ALIGN)?;
            caller.guest().bytes(at, R::SIZE)?;
            result.store(caller, at)?;
            Ok(0)
        };
        Self { interface, name, params, result, body: Box::new(body) }
    }

    /// The dropping of an owned handle.
    fn dropping<T: Resource<Entry = Entry> + 'static>(
        interface: &'static str,
        dropped: impl Fn(&mut State, T) + Send + Sync + 'static,
    ) -> Self {
        Self::new(interface, T::NAME, move |state, (handle,): (Own<T>,)| {
            let value = state.handles.take(handle)?;
            dropped(state, value);
            Ok(())
        })
    }

    /// Does it.
    ///
    /// # Errors
    /// What ends the guest, with the function's name.
    pub fn call(&self, caller: &mut dyn Caller, values: &[u64]) -> Result<u64, Trap> {
        (self.body)(caller, values)
            .map_err(|cause| Trap::In { function: format!("{} {}", self.interface, self.name), cause: Box::new(cause) })
    }
}

impl std::fmt::Debug for HostFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.interface, self.name)
    }
}

/// The lines of one interface, as they are gathered.
pub struct Interface<'a> {
    name: &'static str,
    table: &'a mut Table,
}

impl<'a> Interface<'a> {
    /// Begins an interface.
    pub fn new(name: &'static str, table: &'a mut Table) -> Self {
        Self { name, table }
    }

    /// Adds a function.
    pub fn function<A: Lift, R: Lower>(
        &mut self,
        name: &'static str,
        body: impl Fn(&mut State, A) -> Result<R, Trap> + Send + Sync + 'static,
    ) -> &mut Self {
        self.table.functions.push(HostFunction::new(self.name, name, body));
        self
    }

    /// Adds a type of resource.
    pub fn resource<T: Resource<Entry = Entry> + 'static>(&mut self) -> &mut Self {
        self.resource_with(|_, _: T| ())
    }

    /// Adds a type of resource whose end has an effect.
    pub fn resource_with<T: Resource<Entry = Entry> + 'static>(
        &mut self,
        dropped: impl Fn(&mut State, T) + Send + Sync + 'static,
    ) -> &mut Self {
        self.table.drops.push(HostFunction::dropping::<T>(self.name, dropped));
        self
    }
}

/// Everything that components may import.
#[derive(Debug, Default)]
pub struct Table {
    /// Functions.
    pub functions: Vec<HostFunction>,
    /// What ends resources, under the resources' names.
    pub drops: Vec<HostFunction>,
}

/// The table.
pub fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        let mut table = Table::default();
        let all = [
            io::add,
            clocks::add,
            random::add,
            cli::add,
            filesystem::add,
            sockets::add,
            http::add,
            keyvalue::add,
            config::add,
        ];
        for add in all {
            add(&mut table);
        }
        table
    });
    &TABLE
}

/// Finds what a component imports, by the interface's full name and the name in it.
pub fn resolve(callee: Callee, interface: &str, name: &str) -> Option<&'static HostFunction> {
    type Index = HashMap<(&'static str, &'static str), &'static HostFunction>;
    static INDEXES: LazyLock<[Index; 2]> = LazyLock::new(|| {
        let index = |functions: &'static [HostFunction]| {
            functions.iter().map(|function| ((function.interface, function.name), function)).collect()
        };
        [index(&table().functions), index(&table().drops)]
    });
    let [functions, drops] = &*INDEXES;
    let index = if callee == Callee::Function { functions } else { drops };
    index.get(&(canonical(interface).as_str(), name)).copied()
}

/// Whether there is such an interface, by its full name.
pub fn is_provided(interface: &str) -> bool {
    let name = canonical(interface);
    let Table { functions, drops } = table();
    functions.iter().chain(drops).any(|function| function.interface == name)
}

/// Whether a function works on what no component can have a handle on: an open file, a socket. Whatever its types are, a call
/// of it fails.
pub fn is_out_of_reach(interface: &str, name: &str) -> bool {
    let interface = canonical(interface);
    filesystem::is_out_of_reach(&interface, name) || sockets::is_out_of_reach(&interface, name)
}

/// An interface's name with as much of its version as matters: every release of 0.2 can do what an earlier one asks for,
/// and a draft is compatible with nothing but itself.
pub fn canonical(interface: &str) -> String {
    match interface.split_once('@') {
        Some((name, version)) if version.starts_with("0.2.") && !version.contains('-') => format!("{name}@0.2"),
        _ => interface.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::MAX_FLAT_PARAMS;

    #[test]
    fn releases_are_compatible_and_drafts_are_not() {
        assert_eq!(canonical("wasi:io/streams@0.2.12"), "wasi:io/streams@0.2");
        assert_eq!(canonical("wasi:keyvalue/store@0.2.0-draft2"), "wasi:keyvalue/store@0.2.0-draft2");
        assert_eq!(canonical("wasi:io/streams@0.3.0"), "wasi:io/streams@0.3.0");
        assert!(resolve(Callee::Function, "wasi:io/streams@0.2.3", "[method]input-stream.read").is_some());
        assert!(resolve(Callee::Drop, "wasi:io/streams@0.2.3", "input-stream").is_some());
        assert!(resolve(Callee::Function, "wasi:io/streams@0.3.0", "[method]input-stream.read").is_none());
        assert!(is_provided("wasi:sockets/tcp@0.2.9") && !is_provided("wasi:sockets/tcp@0.3.0"));
        assert!(is_out_of_reach("wasi:sockets/tcp@0.2.9", "[method]tcp-socket.start-bind"));
        assert!(!is_out_of_reach("wasi:sockets/tcp-create-socket@0.2.9", "create-tcp-socket"));
    }

    #[test]
    fn every_function_is_there_once_and_passes_its_parameters_as_core_values() {
        let table = table();
        for functions in [&table.functions, &table.drops] {
            for function in functions {
                let same = |other: &&HostFunction| (other.interface, other.name) == (function.interface, function.name);
                assert_eq!(functions.iter().filter(same).count(), 1, "{function:?}");
                assert!(function.params.len() <= MAX_FLAT_PARAMS, "{function:?}");
            }
        }
    }
}
