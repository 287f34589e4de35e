//! What a component comes to once it is taken apart: which core modules to instantiate in which order, and where each of
//! their imports comes from. It is data, so that it can be kept beside compiled code and nothing has to be parsed at start.

use serde::{Deserialize, Serialize};

use crate::abi::Flat;

/// A component, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The instantiations, in order. Each names one of the component's modules.
    pub steps: Vec<Step>,
    /// The memories that host functions work on.
    pub memories: Vec<Export>,
    /// The functions that allocate memory for host functions.
    pub reallocs: Vec<Export>,
    /// Functions that a step imports of a later one.
    pub later: Vec<Export>,
    /// What is called while the steps are instantiated, in order.
    pub initializers: Vec<Initializer>,
    /// What answers requests.
    pub handler: Handler,
    /// What the linear memories of an instance begin with, all together, in bytes.
    pub memory_bytes: u64,
    /// Whether any of its code makes a table larger.
    pub grows_tables: bool,
}

/// A function without parameters and results that is called before there is a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Initializer {
    /// The number of steps that are instantiated before it is called.
    pub after: usize,
    /// The function.
    pub function: Export,
}

/// The function that answers requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handler {
    /// How it is called.
    pub world: World,
    /// The core function behind it.
    pub function: Export,
    /// What is to be called after it, if anything.
    pub post_return: Option<Export>,
    /// Its memory: which one of [`Plan::memories`].
    pub memory: Option<usize>,
    /// Its realloc: which one of [`Plan::reallocs`].
    pub realloc: Option<usize>,
}

/// What a component exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum World {
    /// The handler of `wasi:http`.
    Http,
    /// A function of plain values.
    Direct,
}

/// The instantiation of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which one of the plan's modules.
    pub module: usize,
    /// What it imports, in its own order.
    pub imports: Vec<Import>,
}

/// Something that a step exports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Export {
    /// Which step.
    pub step: usize,
    /// Its name.
    pub name: String,
}

/// Where an import comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Import {
    /// From an earlier step.
    Export(Export),
    /// A function of a later step: which of the plan's.
    Later {
        /// Which one of [`Plan::later`].
        index: usize,
        /// Its type.
        signature: Signature,
    },
    /// From the host.
    Host(HostImport),
}

/// A function of the host, and what it works with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostImport {
    /// What is imported.
    pub callee: Callee,
    /// The interface, in full.
    pub interface: String,
    /// The name in it: of a function or of a resource.
    pub name: String,
    /// Its memory: which one of [`Plan::memories`].
    pub memory: Option<usize>,
    /// Its realloc: which one of [`Plan::reallocs`].
    pub realloc: Option<usize>,
    /// Its core type.
    pub signature: Signature,
}

/// What kind of function of the host an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Callee {
    /// A function of the interface.
    Function,
    /// The end of a resource of the interface.
    Drop,
}

/// A core type of a function.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signature {
    /// Parameters.
    pub params: Vec<Flat>,
    /// The result, if there is one. More than one does not occur: lowered functions have at most one.
    pub result: Option<Flat>,
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |flat: &Flat| match flat {
            Flat::I32 => "i32",
            Flat::I64 => "i64",
        };
        let params: Vec<_> = self.params.iter().map(name).collect();
        write!(f, "({}) -> {}", params.join(", "), self.result.as_ref().map_or("()", name))
    }
}
