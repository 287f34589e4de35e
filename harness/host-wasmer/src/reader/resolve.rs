//! From the structure of a component to a plan: in which order its modules are instantiated, and what each import is.

use std::collections::HashMap;

use anyhow::{Context, anyhow};
use wasmparser::{ComponentExternalKind, ExternalKind};

use super::module::{Fixup, ImportKind, Module, Trampolines};
use super::structure::{Component, CoreExport, CoreFunction, CoreInstance, Function, Instance, Options, Type};
use super::{Apart, unsupported};
use crate::plan::{Callee, Export, Handler, HostImport, Import, Initializer, Plan, Signature, Step, World};
use crate::wasi::canonical;

/// What a component must export to be served: one of these interfaces.
const HANDLERS: [(&str, World); 2] =
    [("wasi:http/incoming-handler@0.2", World::Http), ("tare:direct/handler@0.1.0", World::Direct)];

/// What components are that were made of several: a call from one of them to another would need an adapter.
const COMPOSED: &str = "a handler in a component within it (it was composed of several)";

/// How many aliases in a row are followed. Toolchains make two or three; a circle makes no end.
const DEPTH: u32 = 32;

/// Makes the plan of a component.
///
/// # Errors
/// It has something that is not supported.
pub fn resolve<'a>(component: &Component<'a>) -> anyhow::Result<Apart<'a>> {
    let resolver = Resolver::new(component)?;
    resolver.plan()
}

/// What a core instance is to the plan.
enum Role<'a> {
    /// It is instantiated: which step it is.
    Step(usize),
    /// Its functions are found through its table.
    Trampolines(Trampolines<'a>),
    /// It fills the table of trampolines.
    Fixup(Fixup<'a>),
    /// It names again what is there.
    Names,
}

struct Resolver<'c, 'a> {
    component: &'c Component<'a>,
    /// The modules of the component, by index; read once each.
    modules: Vec<Module<'a>>,
    /// By core instance.
    roles: Vec<Role<'a>>,
    /// The core instances that are steps.
    steps: Vec<u32>,
    plan: Plan,
}

/// A thing of core level that was found where it comes from.
enum Found {
    /// An export of a step.
    Export(Export),
    /// A function of the host.
    Host { callee: Callee, interface: String, name: String, options: Options },
}

impl<'c, 'a> Resolver<'c, 'a> {
    fn new(component: &'c Component<'a>) -> anyhow::Result<Self> {
        let modules: Vec<Module<'a>> =
            component.modules.iter().map(|bytes| Module::parse(bytes)).collect::<anyhow::Result<_>>()?;
        let (mut roles, mut steps) = (Vec::new(), Vec::new());
        for (instance, number) in component.core_instances.iter().zip(0..) {
            let CoreInstance::Module { module, .. } = instance else {
                roles.push(Role::Names);
                continue;
            };
            let module = modules.get(*module as usize).context("a module is missing")?;
            roles.push(if let Some(trampolines) = module.trampolines() {
                Role::Trampolines(trampolines)
            } else if let Some(fixup) = module.fixup() {
                Role::Fixup(fixup)
            } else {
                steps.push(number);
                Role::Step(steps.len() - 1)
            });
        }
        let plan = Plan {
            steps: Vec::new(),
            memories: Vec::new(),
            reallocs: Vec::new(),
            later: Vec::new(),
            initializers: Vec::new(),
            handler: Handler {
                world: World::Http,
                function: Export { step: 0, name: String::new() },
                post_return: None,
                memory: None,
                realloc: None,
            },
            memory_bytes: 0,
            grows_tables: false,
        };
        Ok(Self { component, modules, roles, steps, plan })
    }

    fn plan(mut self) -> anyhow::Result<Apart<'a>> {
        let mut used: Vec<u32> = Vec::new();
        for (number, instance) in self.steps.clone().into_iter().enumerate() {
            let CoreInstance::Module { module, args } = self.core_instance(instance)? else { continue };
            let position = used.iter().position(|used| used == module).unwrap_or_else(|| {
                used.push(*module);
                used.len() - 1
            });
            let (module, args) = (*module as usize, args.clone());
            self.plan.memory_bytes = self.plan.memory_bytes.saturating_add(self.modules[module].memory_bytes);
            self.plan.grows_tables |= self.modules[module].grows_tables()?;
            let mut imports = Vec::new();
            for import in self.modules[module].imports.clone() {
                let what = || format!("the import `{}` of `{}`", import.name, import.module);
                let argument = args.iter().find(|(name, _)| *name == import.module).with_context(what)?;
                let found =
                    self.export(CoreExport { instance: argument.1, name: import.name }, 0).with_context(what)?;
                imports.push(self.import(found, import.kind, module, number).with_context(what)?);
            }
            self.plan.steps.push(Step { module: position, imports });
        }
        self.initializers()?;
        self.handler()?;
        let modules = used.into_iter().map(|module| self.component.modules[module as usize]).collect();
        Ok(Apart { modules, plan: self.plan })
    }

    /// Finds what the modules that fill tables start with: they are not instantiated, so it is to be called in their place.
    fn initializers(&mut self) -> anyhow::Result<()> {
        let mut after = 0;
        for (role, instance) in self.roles.iter().zip(&self.component.core_instances) {
            let (fixup, args) = match (role, instance) {
                (Role::Step(_), _) => {
                    after += 1;
                    continue;
                }
                (Role::Fixup(fixup), CoreInstance::Module { args, .. }) => (fixup, args),
                _ => continue,
            };
            let Some(start) = fixup.start else { continue };
            let from = args.iter().find(|(name, _)| *name == start.module).context("a start function is missing")?;
            match self.export(CoreExport { instance: from.1, name: start.name }, 0)? {
                Found::Export(function) => self.plan.initializers.push(Initializer { after, function }),
                Found::Host { interface, name, .. } => {
                    return unsupported(format!("`{name}` of `{interface}` as a start function"));
                }
            }
        }
        Ok(())
    }

    fn core_instance(&self, index: u32) -> anyhow::Result<&'c CoreInstance<'a>> {
        self.component.core_instances.get(index as usize).context("a core instance is missing")
    }

    /// What an import of a step is, once it was found.
    fn import(&mut self, found: Found, kind: ImportKind, module: usize, step: usize) -> anyhow::Result<Import> {
        let function = match kind {
            ImportKind::Function(ty) => Some(ty),
            ImportKind::Table => return unsupported("a table that several modules share (dynamic linking)"),
            ImportKind::Memory | ImportKind::Global => None,
        };
        match (found, function) {
            (Found::Export(export), _) if export.step < step => Ok(Import::Export(export)),
            (Found::Export(export), Some(ty)) => {
                let signature = self.modules[module].signature(ty)?;
                Ok(Import::Later { index: position(&mut self.plan.later, export), signature })
            }
            (Found::Export(_), None) => unsupported("a memory or global of a module that is instantiated later"),
            (Found::Host { callee, interface, name, options }, Some(ty)) => {
                let signature: Signature = self.modules[module].signature(ty)?;
                let (memory, realloc) = self.passing(&options)?;
                Ok(Import::Host(HostImport { callee, interface, name, memory, realloc, signature }))
            }
            (Found::Host { .. }, None) => Err(anyhow!("a function stands where something else is imported")),
        }
    }

    /// Where an export of a core instance comes from.
    fn export(&self, export: CoreExport<'_>, depth: u32) -> anyhow::Result<Found> {
        if depth > DEPTH {
            return unsupported("functions that pass calls on in a circle");
        }
        let role = self.roles.get(export.instance as usize).context("a core instance is missing")?;
        match (role, self.core_instance(export.instance)?) {
            (Role::Step(step), _) => Ok(Found::Export(Export { step: *step, name: export.name.to_owned() })),
            (Role::Names, CoreInstance::Exports(exports)) => {
                let found = exports.iter().find(|(name, ..)| *name == export.name);
                let (_, kind, index) = found.with_context(|| format!("nothing is called `{}`", export.name))?;
                self.named(*kind, *index, depth + 1)
            }
            (Role::Trampolines(trampolines), _) => {
                let slot = trampolines.slots.get(export.name);
                let slot = slot.with_context(|| format!("`{}` of trampolines is no function", export.name))?;
                self.slot(export.instance, trampolines.table, *slot, depth + 1)
            }
            (Role::Fixup(_), _) => unsupported("an export of a module that exports nothing"),
            (Role::Names, CoreInstance::Module { .. }) => Err(anyhow!("a core instance is two things")),
        }
    }

    fn named(&self, kind: ExternalKind, index: u32, depth: u32) -> anyhow::Result<Found> {
        let exports = match kind {
            ExternalKind::Func | ExternalKind::FuncExact => return self.function(index, depth),
            ExternalKind::Memory => &self.component.core_memories,
            ExternalKind::Table => &self.component.core_tables,
            ExternalKind::Global => &self.component.core_globals,
            ExternalKind::Tag => return unsupported("an exception tag between modules"),
        };
        self.export(*exports.get(index as usize).context("an alias is missing")?, depth)
    }

    /// Where a core function comes from.
    fn function(&self, index: u32, depth: u32) -> anyhow::Result<Found> {
        match self.component.core_functions.get(index as usize).context("a core function is missing")? {
            CoreFunction::Export(export) => self.export(*export, depth + 1),
            CoreFunction::Lower { function, options } => {
                if let Some(other) = &options.other {
                    return unsupported(format!("an import lowered with `{other}`"));
                }
                let (interface, name) = self.imported_function(*function)?;
                let (interface, name) = (interface.to_owned(), name.to_owned());
                Ok(Found::Host { callee: Callee::Function, interface, name, options: options.clone() })
            }
            CoreFunction::Drop(ty) => {
                let (interface, name) = self.imported_type(*ty, 0)?;
                let (interface, name) = (interface.to_owned(), name.to_owned());
                Ok(Found::Host { callee: Callee::Drop, interface, name, options: Options::default() })
            }
            CoreFunction::Other(name) => unsupported(format!("the built-in function {name}")),
        }
    }

    /// What is in a slot of the table of trampolines.
    fn slot(&self, trampolines: u32, table: &str, slot: u32, depth: u32) -> anyhow::Result<Found> {
        for (role, instance) in self.roles.iter().zip(&self.component.core_instances) {
            let (Role::Fixup(fixup), CoreInstance::Module { args, .. }) = (role, instance) else { continue };
            let argument = |name: &str| args.iter().find(|(argument, _)| *argument == name).map(|(_, index)| *index);
            let from = argument(fixup.table.module).context("a table is missing")?;
            if self.table(CoreExport { instance: from, name: fixup.table.name }, depth)? != Some((trampolines, table)) {
                continue;
            }
            if let Some(function) = fixup.slots.get(&slot) {
                let instance = argument(function.module).context("a function is missing")?;
                return self.export(CoreExport { instance, name: function.name }, depth + 1);
            }
        }
        unsupported("trampolines into a table that is not filled by a module made for that")
    }

    /// Of which trampolines a table is, under which name.
    fn table(&self, export: CoreExport<'a>, depth: u32) -> anyhow::Result<Option<(u32, &'a str)>> {
        if depth > DEPTH {
            return unsupported("tables that pass for each other in a circle");
        }
        match self.core_instance(export.instance)? {
            CoreInstance::Module { .. } => Ok(Some((export.instance, export.name))),
            CoreInstance::Exports(exports) => {
                let found = exports.iter().find(|(name, kind, _)| *name == export.name && *kind == ExternalKind::Table);
                let Some((_, _, index)) = found else { return Ok(None) };
                let table = self.component.core_tables.get(*index as usize).context("a table is missing")?;
                self.table(*table, depth + 1)
            }
        }
    }

    fn memory(&self, index: u32) -> anyhow::Result<Export> {
        match self.named(ExternalKind::Memory, index, 0)? {
            Found::Export(export) => Ok(export),
            Found::Host { .. } => unsupported("a memory of the host"),
        }
    }

    /// A core function of a step.
    fn step_function(&self, index: u32) -> anyhow::Result<Export> {
        match self.function(index, 0)? {
            Found::Export(export) => Ok(export),
            Found::Host { interface, name, .. } => {
                unsupported(format!("`{name}` of `{interface}` where a function of its own is due"))
            }
        }
    }

    /// The interface of an instance that is imported.
    fn imported_instance(&self, instance: u32) -> anyhow::Result<&'a str> {
        match self.component.instances.get(instance as usize).context("an instance is missing")? {
            Instance::Import(name) => Ok(name),
            _ => unsupported("a function of a component within it (it was composed of several)"),
        }
    }

    fn imported_function(&self, function: u32) -> anyhow::Result<(&'a str, &'a str)> {
        match self.component.functions.get(function as usize).context("a function is missing")? {
            Function::Export { instance, name } => Ok((self.imported_instance(*instance)?, name)),
            Function::Import(name) => unsupported(format!("an import of a single function, `{name}`")),
            Function::Lift { .. } | Function::Exported => unsupported("a function that is lifted and lowered again"),
        }
    }

    fn imported_type(&self, ty: u32, depth: u32) -> anyhow::Result<(&'a str, &'a str)> {
        match self.component.types.get(ty as usize).context("a type is missing")? {
            Type::Export { instance, name } => Ok((self.imported_instance(*instance)?, name)),
            Type::Same(ty) if depth < DEPTH => self.imported_type(*ty, depth + 1),
            Type::Same(_) | Type::Other => unsupported("a resource of its own"),
        }
    }

    /// Finds the function that answers requests.
    fn handler(&mut self) -> anyhow::Result<()> {
        let instances = || {
            let exports = self.component.exports.iter();
            exports.filter(|export| export.kind == ComponentExternalKind::Instance)
        };
        let found = HANDLERS.into_iter().find_map(|(interface, world)| {
            let export = instances().find(|export| canonical(export.name) == interface)?;
            Some((export.index, world))
        });
        let (instance, world) = found.context("it does not export `wasi:http/incoming-handler`")?;
        let function = self.lifted(instance, "handle")?;
        let Some(Function::Lift { core, options }) = self.component.functions.get(function as usize) else {
            return unsupported("a handler that is not lifted from one of its modules");
        };
        if let Some(other) = &options.other {
            return unsupported(format!("a handler lifted with `{other}`"));
        }
        let (memory, realloc) = self.passing(options)?;
        let function = self.step_function(*core)?;
        let post_return = options.post_return.map(|index| self.step_function(index)).transpose()?;
        self.plan.handler = Handler { world, function, post_return, memory, realloc };
        Ok(())
    }

    /// The memory and the realloc that values pass by.
    fn passing(&mut self, options: &Options) -> anyhow::Result<(Option<usize>, Option<usize>)> {
        let memory = options.memory.map(|index| self.memory(index)).transpose()?;
        let realloc = options.realloc.map(|index| self.step_function(index)).transpose()?;
        let memory = memory.map(|export| position(&mut self.plan.memories, export));
        let realloc = realloc.map(|export| position(&mut self.plan.reallocs, export));
        Ok((memory, realloc))
    }

    /// The function of this component behind an export of an instance.
    fn lifted(&self, instance: u32, name: &str) -> anyhow::Result<u32> {
        let mut index = instance;
        for _ in 0..DEPTH {
            let functions = match self.component.instances.get(index as usize).context("an instance is missing")? {
                Instance::Same(same) => {
                    index = *same;
                    continue;
                }
                Instance::Exports(functions) => functions.iter().map(|(name, index)| (*name, *index)).collect(),
                Instance::Component { component, functions } => self.passed_through(*component, functions)?,
                Instance::Import(_) => return unsupported("a handler that it imports"),
                Instance::Other => return unsupported(COMPOSED),
            };
            let found: Option<&u32> = functions.get(name);
            return found.copied().with_context(|| format!("its handler has no `{name}`"));
        }
        unsupported("instances that pass for each other in a circle")
    }

    /// Returns the functions that a component within exports as it imported them.
    fn passed_through(&self, component: u32, args: &[(&'a str, u32)]) -> anyhow::Result<HashMap<&'a str, u32>> {
        let within = self.component.components.get(component as usize).context("a component is missing")?;
        if !within.core_instances.is_empty() {
            return unsupported(COMPOSED);
        }
        let mut found = HashMap::new();
        for export in within.exports.iter().filter(|export| export.kind == ComponentExternalKind::Func) {
            let Some(Function::Import(import)) = within.functions.get(export.index as usize) else { continue };
            if let Some((_, function)) = args.iter().find(|(name, _)| name == import) {
                found.insert(export.name, *function);
            }
        }
        Ok(found)
    }
}

/// The place of something in a list, at whose end it is put if it is not there.
fn position<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter().position(|known| *known == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
}
