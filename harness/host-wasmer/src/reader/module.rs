//! Core modules: what they import and what they are for.

use std::collections::HashMap;

use anyhow::Context;
use wasmparser::{
    ElementItems, ElementKind, ExternalKind, FuncType, FunctionBody, Operator, Parser, Payload, TableType, TypeRef,
    ValType,
};

use super::unsupported;
use crate::abi::Flat;
use crate::plan::Signature;

/// Bytes of a page of linear memory.
const PAGE: u64 = 64 * 1024;

/// What matters of a core module here.
#[derive(Debug, Default)]
pub struct Module<'a> {
    types: Vec<FuncType>,
    /// What it imports, in its order.
    pub imports: Vec<Import<'a>>,
    functions: Vec<u32>,
    tables: Vec<TableType>,
    exports: Vec<(&'a str, ExternalKind, u32)>,
    bodies: Vec<FunctionBody<'a>>,
    elements: Vec<Elements>,
    /// What its memories begin with, in bytes.
    pub memory_bytes: u64,
    /// Its start function.
    start: Option<u32>,
    /// Whether it has anything else: memories, globals, data, tags.
    has_more: bool,
}

/// Something that a module imports.
#[derive(Debug, Clone, Copy)]
pub struct Import<'a> {
    /// The name of the instance.
    pub module: &'a str,
    /// The name in it.
    pub name: &'a str,
    /// What it is.
    pub kind: ImportKind,
}

/// What a module imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportKind {
    /// A function of this type of the module.
    Function(u32),
    /// A table.
    Table,
    /// A memory.
    Memory,
    /// A global.
    Global,
}

/// Elements that are written into a table when a module is instantiated.
#[derive(Debug)]
struct Elements {
    table: u32,
    offset: Option<u32>,
    functions: Option<Vec<u32>>,
}

/// A module that is nothing but trampolines: each of its functions calls what is in a slot of its table.
#[derive(Debug)]
pub struct Trampolines<'a> {
    /// The name of its table.
    pub table: &'a str,
    /// The slots of its functions, by name.
    pub slots: HashMap<&'a str, u32>,
}

/// A module that does nothing but write functions into a table that it imports, and perhaps call one of them.
#[derive(Debug)]
pub struct Fixup<'a> {
    /// The table.
    pub table: Import<'a>,
    /// What it writes into each slot.
    pub slots: HashMap<u32, Import<'a>>,
    /// Its start function, which it imports: toolchains have a main module's `_initialize` called that way.
    pub start: Option<Import<'a>>,
}

impl<'a> Module<'a> {
    /// Reads a module.
    ///
    /// # Errors
    /// It is not one, or has what nothing here is prepared for.
    pub fn parse(bytes: &'a [u8]) -> anyhow::Result<Self> {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            module.section(payload?)?;
        }
        Ok(module)
    }

    fn section(&mut self, payload: Payload<'a>) -> anyhow::Result<()> {
        match payload {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    self.types.push(ty.context("it has a type of the garbage collection proposal")?);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let kind = kind(import.ty)?;
                    self.imports.push(Import { module: import.module, name: import.name, kind });
                }
            }
            Payload::FunctionSection(section) => self.functions = section.into_iter().collect::<Result<_, _>>()?,
            Payload::TableSection(section) => {
                for table in section {
                    self.tables.push(table?.ty);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory?;
                    if memory.shared || memory.memory64 || memory.page_size_log2.is_some() {
                        return unsupported("a memory that is shared, of 64 bits or of other pages");
                    }
                    self.memory_bytes = self.memory_bytes.saturating_add(memory.initial.saturating_mul(PAGE));
                    self.has_more = true;
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.exports.push((export.name, export.kind, export.index));
                }
            }
            Payload::ElementSection(section) => {
                for element in section {
                    self.elements.push(elements(element?)?);
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::GlobalSection(_) | Payload::DataSection(_) | Payload::TagSection(_) => self.has_more = true,
            _ => {}
        }
        Ok(())
    }

    /// Whether any of its code makes a table larger.
    ///
    /// # Errors
    /// It has no valid code.
    pub fn grows_tables(&self) -> anyhow::Result<bool> {
        for body in &self.bodies {
            for operator in body.get_operators_reader()? {
                if matches!(operator?, Operator::TableGrow { .. }) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The type of a function that it imports.
    ///
    /// # Errors
    /// It takes or returns something else than integers, or returns several values.
    pub fn signature(&self, ty: u32) -> anyhow::Result<Signature> {
        let ty = self.types.get(ty as usize).context("a type is missing")?;
        let flat = |ty: &ValType| match ty {
            ValType::I32 => Ok(Flat::I32),
            ValType::I64 => Ok(Flat::I64),
            other => unsupported(format!("a function between modules or from the host that takes or returns {other}")),
        };
        let params = ty.params().iter().map(flat).collect::<anyhow::Result<_>>()?;
        let result = match ty.results() {
            [] => None,
            [one] => Some(flat(one)?),
            _ => return unsupported("a function between modules or from the host that returns several results"),
        };
        Ok(Signature { params, result })
    }

    /// Whether it is nothing but trampolines, and which.
    pub fn trampolines(&self) -> Option<Trampolines<'a>> {
        let plain = self.imports.is_empty() && self.elements.is_empty() && self.start.is_none() && !self.has_more;
        if !plain || self.tables.len() != 1 || self.functions.is_empty() {
            return None;
        }
        let slots: Vec<u32> =
            self.functions.iter().zip(&self.bodies).map(|(ty, body)| self.slot(*ty, body)).collect::<Option<_>>()?;
        let table = self.exports.iter().find(|(_, kind, _)| *kind == ExternalKind::Table)?.0;
        let functions = self.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Func);
        let slots = functions.map(|(name, _, index)| Some((*name, *slots.get(*index as usize)?)));
        Some(Trampolines { table, slots: slots.collect::<Option<_>>()? })
    }

    /// The slot that a function passes its call on to, if it does that and nothing else.
    fn slot(&self, ty: u32, body: &FunctionBody<'a>) -> Option<u32> {
        let params = u32::try_from(self.types.get(ty as usize)?.params().len()).ok()?;
        let mut operators = body.get_operators_reader().ok()?;
        for param in 0..params {
            if !matches!(operators.read().ok()?, Operator::LocalGet { local_index } if local_index == param) {
                return None;
            }
        }
        let Operator::I32Const { value } = operators.read().ok()? else { return None };
        let called = operators.read().ok()?;
        let passed_on = matches!(called, Operator::CallIndirect { type_index, table_index: 0 } if type_index == ty);
        let ends = matches!(operators.read().ok()?, Operator::End) && operators.eof();
        (passed_on && ends).then(|| u32::try_from(value).ok())?
    }

    /// Whether it does nothing but write functions into a table and start with one that it imports, and which.
    pub fn fixup(&self) -> Option<Fixup<'a>> {
        let [elements] = &self.elements[..] else { return None };
        let plain = self.functions.is_empty() && self.tables.is_empty() && !self.has_more;
        let mut tables = self.imports.iter().filter(|import| import.kind == ImportKind::Table);
        let (table, None) = (*tables.next()?, tables.next()) else { return None };
        if !plain || elements.table != 0 {
            return None;
        }
        let functions: Vec<&Import<'a>> =
            self.imports.iter().filter(|import| matches!(import.kind, ImportKind::Function(_))).collect();
        let offset = elements.offset?;
        let slot =
            |(function, index): (&u32, u32)| Some((offset.checked_add(index)?, **functions.get(*function as usize)?));
        let slots = elements.functions.as_ref()?.iter().zip(0..).map(slot).collect::<Option<_>>()?;
        let start = match self.start {
            Some(start) => Some(**functions.get(start as usize)?),
            None => None,
        };
        Some(Fixup { table, slots, start })
    }
}

fn kind(ty: TypeRef) -> anyhow::Result<ImportKind> {
    Ok(match ty {
        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => ImportKind::Function(ty),
        TypeRef::Table(_) => ImportKind::Table,
        TypeRef::Memory(memory) if memory.shared || memory.memory64 => {
            return unsupported("a memory that is shared or of 64 bits");
        }
        TypeRef::Memory(_) => ImportKind::Memory,
        TypeRef::Global(_) => ImportKind::Global,
        TypeRef::Tag(_) => return unsupported("an exception tag between modules"),
    })
}

fn elements(element: wasmparser::Element<'_>) -> anyhow::Result<Elements> {
    let (table, offset) = match element.kind {
        ElementKind::Active { table_index, offset_expr } => {
            let mut operators = offset_expr.get_operators_reader();
            let offset = match operators.read()? {
                Operator::I32Const { value } => u32::try_from(value).ok(),
                _ => None,
            };
            (table_index.unwrap_or(0), offset.filter(|_| matches!(operators.read(), Ok(Operator::End))))
        }
        // It is written into no table by itself.
        ElementKind::Passive | ElementKind::Declared => (u32::MAX, None),
    };
    let functions = match element.items {
        ElementItems::Functions(functions) => Some(functions.into_iter().collect::<Result<_, _>>()?),
        ElementItems::Expressions(..) => None,
    };
    Ok(Elements { table, offset, functions })
}
