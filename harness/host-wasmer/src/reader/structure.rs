//! The structure of a component: its index spaces, as its sections fill them.

use anyhow::{Context, ensure};
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind,
    ComponentTypeRef, ExternalKind, Parser, Payload, TypeBounds,
};

use super::unsupported;

/// A component with the index spaces that matter here, each in its order.
#[derive(Debug, Default)]
pub struct Component<'a> {
    /// Core modules, as bytes.
    pub modules: Vec<&'a [u8]>,
    /// Instances of core modules.
    pub core_instances: Vec<CoreInstance<'a>>,
    /// Core functions.
    pub core_functions: Vec<CoreFunction<'a>>,
    /// Core memories, each an export of a core instance.
    pub core_memories: Vec<CoreExport<'a>>,
    /// Core tables.
    pub core_tables: Vec<CoreExport<'a>>,
    /// Core globals.
    pub core_globals: Vec<CoreExport<'a>>,
    /// Components within.
    pub components: Vec<Component<'a>>,
    /// Instances of components.
    pub instances: Vec<Instance<'a>>,
    /// Functions of the component level.
    pub functions: Vec<Function<'a>>,
    /// Types of the component level.
    pub types: Vec<Type<'a>>,
    /// What it exports.
    pub exports: Vec<Export<'a>>,
}

/// An export of a core instance.
#[derive(Debug, Clone, Copy)]
pub struct CoreExport<'a> {
    /// The core instance.
    pub instance: u32,
    /// The name.
    pub name: &'a str,
}

/// How a core instance comes to be.
#[derive(Debug)]
pub enum CoreInstance<'a> {
    /// From a module, with core instances for the names that it imports from.
    Module {
        /// The module.
        module: u32,
        /// Names and core instances.
        args: Vec<(&'a str, u32)>,
    },
    /// From things that are there.
    Exports(Vec<(&'a str, ExternalKind, u32)>),
}

/// How a core function comes to be.
#[derive(Debug)]
pub enum CoreFunction<'a> {
    /// As an export of a core instance.
    Export(CoreExport<'a>),
    /// From a function of the component level.
    Lower {
        /// That function.
        function: u32,
        /// How values pass.
        options: Options,
    },
    /// It ends a resource of this type.
    Drop(u32),
    /// In a way that is not supported.
    Other(String),
}

/// How values pass between levels.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The core memory.
    pub memory: Option<u32>,
    /// The core function that allocates memory.
    pub realloc: Option<u32>,
    /// The core function that cleans up.
    pub post_return: Option<u32>,
    /// What else is asked for, which is not supported.
    pub other: Option<String>,
}

/// How an instance of the component level comes to be.
#[derive(Debug)]
pub enum Instance<'a> {
    /// It is imported.
    Import(&'a str),
    /// From a component, with arguments by name.
    Component {
        /// The component.
        component: u32,
        /// Names and functions; other arguments do not matter here.
        functions: Vec<(&'a str, u32)>,
    },
    /// From things that are there; functions only.
    Exports(Vec<(&'a str, u32)>),
    /// It is another one by another index.
    Same(u32),
    /// In a way that is not supported.
    Other,
}

/// How a function of the component level comes to be.
#[derive(Debug)]
pub enum Function<'a> {
    /// It is imported by itself.
    Import(&'a str),
    /// As an export of an instance.
    Export {
        /// The instance.
        instance: u32,
        /// The name.
        name: &'a str,
    },
    /// From a core function.
    Lift {
        /// That function.
        core: u32,
        /// How values pass.
        options: Options,
    },
    /// As another index of one that is exported.
    Exported,
}

/// How a type comes to be.
#[derive(Debug)]
pub enum Type<'a> {
    /// As an export of an instance.
    Export {
        /// The instance.
        instance: u32,
        /// The name.
        name: &'a str,
    },
    /// It is another one by another index.
    Same(u32),
    /// In some other way.
    Other,
}

/// Something that a component exports.
#[derive(Debug)]
pub struct Export<'a> {
    /// The name.
    pub name: &'a str,
    /// What it is.
    pub kind: ComponentExternalKind,
    /// Which one.
    pub index: u32,
}

impl<'a> Component<'a> {
    /// Reads the structure of a whole component.
    ///
    /// # Errors
    /// It is not one, or has what nothing here is prepared for.
    pub fn parse(bytes: &'a [u8]) -> anyhow::Result<Self> {
        let mut payloads = Parser::new(0).parse_all(bytes);
        let Some(Payload::Version { encoding: wasmparser::Encoding::Component, .. }) = payloads.next().transpose()?
        else {
            return unsupported("no component in it");
        };
        Self::default().filled(bytes, &mut payloads)
    }

    /// Reads until the end of this component, components within it included.
    fn filled(
        mut self,
        bytes: &'a [u8],
        payloads: &mut dyn Iterator<Item = wasmparser::Result<Payload<'a>>>,
    ) -> anyhow::Result<Self> {
        while let Some(payload) = payloads.next().transpose()? {
            match payload {
                Payload::End(_) => break,
                Payload::ModuleSection { unchecked_range, .. } => {
                    self.modules.push(bytes.get(unchecked_range).context("a module is cut")?);
                    skip(payloads)?;
                }
                Payload::ComponentSection { .. } => {
                    // Its version comes first.
                    payloads.next().transpose()?;
                    self.components.push(Self::default().filled(bytes, payloads)?);
                }
                other => self.section(other)?,
            }
        }
        Ok(self)
    }

    fn section(&mut self, payload: Payload<'a>) -> anyhow::Result<()> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.core_instances.push(core_instance(instance?));
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    self.instances.push(component_instance(instance?));
                }
            }
            Payload::ComponentAliasSection(section) => section.into_iter().try_for_each(|alias| self.alias(&alias?))?,
            Payload::ComponentTypeSection(section) => {
                self.types.extend((0..section.count()).map(|_| Type::Other));
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    self.canonical(&function?);
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import?;
                    self.import(import.name.name, import.ty)?;
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.exports.push(Export { name: export.name.name, kind: export.kind, index: export.index });
                    self.exported(export.kind, export.index)?;
                }
            }
            Payload::ComponentStartSection { .. } => return unsupported("a start function of the component level"),
            // Core types are those of modules that are imported, which is refused. Custom sections say nothing.
            _ => {}
        }
        Ok(())
    }

    fn alias(&mut self, alias: &ComponentAlias<'a>) -> anyhow::Result<()> {
        match *alias {
            ComponentAlias::CoreInstanceExport { kind, instance_index, name } => {
                let export = CoreExport { instance: instance_index, name };
                match kind {
                    ExternalKind::Func | ExternalKind::FuncExact => {
                        self.core_functions.push(CoreFunction::Export(export));
                    }
                    ExternalKind::Memory => self.core_memories.push(export),
                    ExternalKind::Table => self.core_tables.push(export),
                    ExternalKind::Global => self.core_globals.push(export),
                    ExternalKind::Tag => return unsupported("an exception tag between modules"),
                }
            }
            ComponentAlias::InstanceExport { kind, instance_index: instance, name } => match kind {
                ComponentExternalKind::Func => self.functions.push(Function::Export { instance, name }),
                ComponentExternalKind::Type => self.types.push(Type::Export { instance, name }),
                ComponentExternalKind::Instance => self.instances.push(Instance::Other),
                ComponentExternalKind::Module | ComponentExternalKind::Component | ComponentExternalKind::Value => {
                    return unsupported(format!("a {} out of an instance", kind.desc()));
                }
            },
            ComponentAlias::Outer { kind, .. } => match kind {
                ComponentOuterAliasKind::Type => self.types.push(Type::Other),
                ComponentOuterAliasKind::CoreType => {}
                ComponentOuterAliasKind::CoreModule | ComponentOuterAliasKind::Component => {
                    return unsupported("a module or component of the component around it");
                }
            },
        }
        Ok(())
    }

    fn canonical(&mut self, function: &CanonicalFunction) {
        let core = match function {
            CanonicalFunction::Lift { core_func_index, options, .. } => {
                self.functions.push(Function::Lift { core: *core_func_index, options: Options::of(options) });
                return;
            }
            CanonicalFunction::Lower { func_index, options } => {
                CoreFunction::Lower { function: *func_index, options: Options::of(options) }
            }
            CanonicalFunction::ResourceDrop { resource } => CoreFunction::Drop(*resource),
            other => {
                // All the others make a core function too.
                let name = format!("{other:?}");
                let end = name.find([' ', '{', '(']).unwrap_or(name.len());
                CoreFunction::Other(name[..end].to_owned())
            }
        };
        self.core_functions.push(core);
    }

    fn import(&mut self, name: &'a str, ty: ComponentTypeRef) -> anyhow::Result<()> {
        match ty {
            ComponentTypeRef::Instance(_) => self.instances.push(Instance::Import(name)),
            ComponentTypeRef::Func(_) => self.functions.push(Function::Import(name)),
            ComponentTypeRef::Type(TypeBounds::Eq(index)) => self.types.push(Type::Same(index)),
            ComponentTypeRef::Type(TypeBounds::SubResource) => self.types.push(Type::Other),
            ComponentTypeRef::Module(_) | ComponentTypeRef::Component(_) | ComponentTypeRef::Value(_) => {
                return unsupported(format!("an import, `{name}`, of a module, component or value"));
            }
        }
        Ok(())
    }

    /// What is exported has a further index of its kind.
    fn exported(&mut self, kind: ComponentExternalKind, index: u32) -> anyhow::Result<()> {
        match kind {
            ComponentExternalKind::Func => self.functions.push(Function::Exported),
            ComponentExternalKind::Instance => self.instances.push(Instance::Same(index)),
            ComponentExternalKind::Type => self.types.push(Type::Same(index)),
            ComponentExternalKind::Module | ComponentExternalKind::Component | ComponentExternalKind::Value => {
                return unsupported(format!("an export of a {}", kind.desc()));
            }
        }
        Ok(())
    }
}

fn core_instance(instance: wasmparser::Instance<'_>) -> CoreInstance<'_> {
    match instance {
        wasmparser::Instance::Instantiate { module_index, args } => {
            CoreInstance::Module { module: module_index, args: args.iter().map(|arg| (arg.name, arg.index)).collect() }
        }
        wasmparser::Instance::FromExports(exports) => {
            CoreInstance::Exports(exports.iter().map(|export| (export.name, export.kind, export.index)).collect())
        }
    }
}

fn component_instance(instance: wasmparser::ComponentInstance<'_>) -> Instance<'_> {
    let is_function = |kind| kind == ComponentExternalKind::Func;
    match instance {
        wasmparser::ComponentInstance::Instantiate { component_index, args } => {
            let functions = args.iter().filter(|arg| is_function(arg.kind)).map(|arg| (arg.name, arg.index)).collect();
            Instance::Component { component: component_index, functions }
        }
        wasmparser::ComponentInstance::FromExports(exports) => {
            let functions = exports.iter().filter(|export| is_function(export.kind));
            Instance::Exports(functions.map(|export| (export.name.name, export.index)).collect())
        }
    }
}

impl Options {
    fn of(options: &[CanonicalOption]) -> Self {
        let mut found = Self::default();
        for option in options {
            match option {
                CanonicalOption::UTF8 => {}
                CanonicalOption::Memory(index) => found.memory = Some(*index),
                CanonicalOption::Realloc(index) => found.realloc = Some(*index),
                CanonicalOption::PostReturn(index) => found.post_return = Some(*index),
                other => found.other = Some(format!("{other:?}").to_lowercase()),
            }
        }
        found
    }
}

/// Passes over what is within a module, to its end.
fn skip(payloads: &mut dyn Iterator<Item = wasmparser::Result<Payload<'_>>>) -> anyhow::Result<()> {
    let mut ended = false;
    while !ended {
        let payload = payloads.next().transpose()?;
        ensure!(payload.is_some(), "a module is cut");
        ended = matches!(payload, Some(Payload::End(_)));
    }
    Ok(())
}
