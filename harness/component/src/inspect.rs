//! Reading a component.

use std::collections::BTreeSet;

use wasmparser::{Encoding, MemoryType, Parser, Payload, TypeRef, Validator, WasmFeatures};

/// Bytes of a page of linear memory, unless the memory says otherwise.
const PAGE_SIZE_LOG2: u32 = 16;

/// What a component is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// What it exports to answer requests.
    pub handler: Handler,
    /// The names of all its exports, in order.
    pub exports: Vec<String>,
    /// All its imports, in order.
    pub imports: Vec<Import>,
    /// Whether a core module has an instruction or a type of fixed-width SIMD.
    pub uses_simd: bool,
    /// The largest size that one of its linear memories begins with, in bytes.
    pub memory_bytes: u64,
    /// The largest number of elements that one of its tables begins with.
    pub table_elements: u64,
    /// What in its structure not every host supports.
    pub shapes: BTreeSet<Shape>,
}

/// What a component exports to answer HTTP requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handler {
    /// `wasi:http/incoming-handler`, of WASI 0.2.
    IncomingHandler {
        /// Its version.
        version: String,
    },
    /// `wasi:http/handler`, of WASI 0.3.
    Handler {
        /// Its version.
        version: String,
    },
    /// `tare:direct/handler`: one function of plain values, which the hosts serve too.
    Direct {
        /// Its version.
        version: String,
    },
    /// None of them.
    None,
}

/// An import of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Package and interface, as in `wasi:io/streams`; the plain name if it is not of a package.
    pub name: String,
    /// The version, if it has one.
    pub version: Option<String>,
}

/// Something in the structure of a component that not every host supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// Core modules within a component within it: it was composed of several components.
    Composed,
    /// A table that several core modules share: dynamic linking, as Python components have it.
    SharedTable,
    /// A memory that is shared between threads, is of 64 bits, or has pages of another size.
    UnusualMemory,
}

/// Why a file is no component.
#[derive(Debug, thiserror::Error)]
pub enum NotAComponent {
    /// It does not begin as WebAssembly does.
    #[error("no WebAssembly; is it the right file?")]
    NotWasm,
    /// It is native code, as a host makes it of a component.
    #[error("native code, perhaps a component that was compiled ahead; name the component that it was made from")]
    Native,
    /// It is a core module.
    #[error("a core module, not a component; `wasm-tools component new` makes one")]
    CoreModule,
    /// It begins as a component and is not valid.
    #[error("no valid component: {0}; build it again")]
    Invalid(String),
}

/// Reads a component.
///
/// # Errors
/// The bytes are no component.
pub fn inspect(bytes: &[u8]) -> Result<Inspected, NotAComponent> {
    match bytes {
        // The version is 1 for modules; components have a version and a layer of their own.
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => return Err(NotAComponent::CoreModule),
        [0, b'a', b's', b'm', ..] => {}
        [0x7f, b'E', b'L', b'F', ..] | [b't', b'a', b'r', b'e', b' ', ..] => return Err(NotAComponent::Native),
        _ => return Err(NotAComponent::NotWasm),
    }
    // Proposals that a runtime lacks are told by name later or by the runtime, so all of them are valid here.
    let all = WasmFeatures::all();
    validate(bytes, all).map_err(|error| NotAComponent::Invalid(error.to_string()))?;
    let uses_simd = validate(bytes, all & !(WasmFeatures::SIMD | WasmFeatures::RELAXED_SIMD)).is_err();
    let mut reading = Reading { levels: Vec::new(), inspected: Inspected::empty(uses_simd) };
    for payload in Parser::new(0).parse_all(bytes) {
        let read = payload.and_then(|payload| reading.payload(&payload));
        read.map_err(|error| NotAComponent::Invalid(error.to_string()))?;
    }
    let mut inspected = reading.inspected;
    inspected.handler = Handler::of(&inspected.exports);
    Ok(inspected)
}

fn validate(bytes: &[u8], features: WasmFeatures) -> wasmparser::Result<()> {
    Validator::new_with_features(features).validate_all(bytes).map(drop)
}

impl Inspected {
    fn empty(uses_simd: bool) -> Self {
        Self {
            handler: Handler::None,
            exports: Vec::new(),
            imports: Vec::new(),
            uses_simd,
            memory_bytes: 0,
            table_elements: 0,
            shapes: BTreeSet::new(),
        }
    }
}

impl Handler {
    fn of(exports: &[String]) -> Self {
        let version_of = |name: &str| {
            let versions = exports.iter().map(|export| split(export)).filter(|export| export.0 == name);
            // A component may export several; the newest of 0.2 is served.
            versions.map(|export| export.1.unwrap_or_default().to_owned()).max()
        };
        if let Some(version) = version_of("wasi:http/incoming-handler") {
            Self::IncomingHandler { version }
        } else if let Some(version) = version_of("tare:direct/handler") {
            Self::Direct { version }
        } else if let Some(version) = version_of("wasi:http/handler") {
            Self::Handler { version }
        } else {
            Self::None
        }
    }
}

/// The name of an import or export without its version, and the version.
fn split(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(name, version)| (name, Some(version)))
}

/// A component or core module that is being read.
struct Level {
    encoding: Encoding,
    imports_table: bool,
}

struct Reading {
    /// The file, and what is within each other down to what is being read.
    levels: Vec<Level>,
    inspected: Inspected,
}

impl Reading {
    fn payload(&mut self, payload: &Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::Version { encoding, .. } => self.begin(*encoding),
            Payload::End(_) => drop(self.levels.pop()),
            Payload::ComponentImportSection(section) if self.levels.len() == 1 => {
                for import in section.clone() {
                    let (name, version) = split(import?.name.name);
                    let (name, version) = (name.to_owned(), version.map(ToOwned::to_owned));
                    self.inspected.imports.push(Import { name, version });
                }
            }
            Payload::ComponentExportSection(section) if self.levels.len() == 1 => {
                for export in section.clone() {
                    self.inspected.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    match import?.ty {
                        TypeRef::Memory(memory) => self.memory(&memory),
                        TypeRef::Table(_) => self.imports_table(),
                        _ => {}
                    }
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    self.memory(&memory?);
                }
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    let elements = &mut self.inspected.table_elements;
                    *elements = (*elements).max(table?.ty.initial);
                }
            }
            // A module that only fills a table, as toolchains make one to break a circle, has no code.
            Payload::CodeSectionStart { .. } if self.levels.last().is_some_and(|level| level.imports_table) => {
                self.inspected.shapes.insert(Shape::SharedTable);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, encoding: Encoding) {
        let components = self.levels.iter().filter(|level| level.encoding == Encoding::Component).count();
        if encoding == Encoding::Module && components > 1 {
            self.inspected.shapes.insert(Shape::Composed);
        }
        self.levels.push(Level { encoding, imports_table: false });
    }

    fn imports_table(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.imports_table = true;
        }
    }

    fn memory(&mut self, memory: &MemoryType) {
        if memory.shared || memory.memory64 || memory.page_size_log2.is_some() {
            self.inspected.shapes.insert(Shape::UnusualMemory);
        }
        let page = 1_u64.checked_shl(memory.page_size_log2.unwrap_or(PAGE_SIZE_LOG2)).unwrap_or(u64::MAX);
        let bytes = &mut self.inspected.memory_bytes;
        *bytes = (*bytes).max(memory.initial.saturating_mul(page));
    }
}
