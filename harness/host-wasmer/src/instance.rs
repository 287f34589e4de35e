//! Instances: a component's modules instantiated, and a call of its handler.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, anyhow};
use bytes::Bytes;
use http::{Request, Response};
use tare_host::failure::Failure;
use tare_host::front::ServiceContext;
use tare_host::settings::Common;
use tokio::runtime::Handle;
use wasmer::{
    Engine, Extern, FunctionEnv, Instance as ModuleInstance, InstantiationError, RuntimeError, Store, TypedFunction,
};

use crate::abi::Trap;
use crate::call::{Imported, host_function, later_function};
use crate::component::Component;
use crate::direct;
use crate::engine::{Budget, within};
use crate::plan::{self, Export, Import, Signature, World};
use crate::reply::Reply;
use crate::state::{Links, State};
use crate::wasi::http::{IncomingRequest, ResponseOutparam};
use crate::watchdog::{Watch, Watchdog};

/// A component with its imports found: what every instance is made of.
#[derive(Debug)]
pub struct Linked {
    component: Component,
    /// The imports of each step.
    imports: Vec<Vec<Source>>,
    /// Whether any code of it runs while it is instantiated. What has none is not watched there, which takes time.
    starts: bool,
    /// The most elements that its tables may have, if its code makes one larger that could become larger than that.
    table_limit: Option<u32>,
}

/// Where an import comes from, as far as it is known before there is an instance.
#[derive(Debug)]
enum Source {
    Export(Export),
    Later(usize, Signature),
    Host(Imported),
}

impl Linked {
    /// Finds the imports.
    ///
    /// # Errors
    /// The component imports what this host does not have, or needs more memory at its start than it may have.
    pub fn new(component: Component, limits: &Common) -> anyhow::Result<Self> {
        let Common { memory_limit, table_elements, .. } = *limits;
        let least = component.plan.memory_bytes;
        if least > memory_limit as u64 {
            return Err(anyhow!(
                "its memory of {least} bytes at the start exceeds the limit of {memory_limit:#x} bytes; raise --memory-limit"
            ));
        }
        let source = |import: &Import| {
            Ok(match import {
                Import::Export(export) => Source::Export(export.clone()),
                Import::Later { index, signature } => Source::Later(*index, signature.clone()),
                Import::Host(import) => Source::Host(Imported::new(import)?),
            })
        };
        let steps = component.plan.steps.iter();
        let imports = steps.map(|step| step.imports.iter().map(source).collect::<anyhow::Result<_>>());
        let imports = imports.collect::<anyhow::Result<_>>()?;
        let starts = component.modules.iter().any(|module| module.info().start_function.is_some());
        let starts = starts || !component.plan.initializers.is_empty();
        let mut tables = component.modules.iter().flat_map(|module| module.info().tables.values());
        let beyond = tables.any(|table| table.maximum.is_none_or(|most| most > table_elements));
        let table_limit = (component.plan.grows_tables && beyond).then_some(table_elements);
        Ok(Self { component, imports, starts, table_limit })
    }

    /// What the component exports.
    pub fn world(&self) -> World {
        self.component.plan.handler.world
    }
}

/// The function that answers requests, and what is to be called after it.
enum Handler {
    Http(TypedFunction<(i32, i32), ()>, Option<TypedFunction<(), ()>>),
    Direct(direct::Function),
}

/// A component's instance with its memory.
pub struct Instance {
    store: Store,
    env: FunctionEnv<State>,
    handler: Handler,
    budget: Arc<Budget>,
    /// See [`Linked`].
    table_limit: Option<u32>,
}

impl Instance {
    /// Instantiates a component. What its modules start with ends at the deadline, too.
    ///
    /// # Errors
    /// A module fails while it is instantiated.
    pub fn new(
        engine: &Engine,
        linked: &Linked,
        context: &Arc<ServiceContext>,
        runtime: &Handle,
        limits: &Common,
        deadline: Instant,
        watchdog: &Watchdog,
    ) -> Result<Self, Failure> {
        let budget = Budget::new(limits.memory_limit, limits.table_elements);
        let store = Store::new(engine.clone());
        let watch = linked.starts.then(|| watchdog.watch(store.interrupter(), deadline, None));
        let made = within(&budget, || Self::build(store, linked, context, runtime, Arc::clone(&budget), deadline));
        let interrupted = watch.is_some_and(Watch::end);
        made.map_err(|error| failed(error, interrupted, &budget, linked.table_limit))
    }

    fn build(
        mut store: Store,
        linked: &Linked,
        context: &Arc<ServiceContext>,
        runtime: &Handle,
        budget: Arc<Budget>,
        deadline: Instant,
    ) -> anyhow::Result<Self> {
        let plan = &linked.component.plan;
        let links = Links {
            memories: vec![None; plan.memories.len()],
            reallocs: vec![None; plan.reallocs.len()],
            later: vec![None; plan.later.len()],
        };
        let env = FunctionEnv::new(&mut store, State::new(Arc::clone(context), links, runtime.clone()));
        env.as_mut(&mut store).deadline = deadline;
        let mut instances: Vec<ModuleInstance> = Vec::with_capacity(plan.steps.len());
        for (number, (step, sources)) in plan.steps.iter().zip(&linked.imports).enumerate() {
            let externs = sources.iter().map(|source| match source {
                Source::Export(export) => exported(&instances, export),
                Source::Later(index, signature) => Ok(later_function(&mut store, &env, *index, signature).into()),
                Source::Host(import) => Ok(host_function(&mut store, &env, import).into()),
            });
            let externs = externs.collect::<anyhow::Result<Vec<Extern>>>()?;
            let module =
                linked.component.modules.get(step.module).context("the plan names a module that is not there")?;
            let instance = ModuleInstance::new_by_index(&mut store, module, &externs).map_err(started)?;
            instances.push(instance);
            let of_step = |exports: &[Export]| -> Vec<(usize, Export)> {
                exports.iter().cloned().enumerate().filter(|(_, export)| export.step == number).collect()
            };
            for (index, export) in of_step(&plan.memories) {
                let memory = instances[number].exports.get_memory(&export.name)?.clone();
                env.as_mut(&mut store).links.memories[index] = Some(memory);
            }
            for (index, export) in of_step(&plan.reallocs) {
                let realloc = instances[number].exports.get_typed_function(&store, &export.name)?;
                env.as_mut(&mut store).links.reallocs[index] = Some(realloc);
            }
            for (index, export) in of_step(&plan.later) {
                let function = instances[number].exports.get_function(&export.name)?.clone();
                env.as_mut(&mut store).links.later[index] = Some(function);
            }
            let done = number + 1;
            for initializer in plan.initializers.iter().filter(|initializer| initializer.after == done) {
                let Extern::Function(function) = exported(&instances, &initializer.function)? else {
                    return Err(anyhow!("the plan starts with what is no function"));
                };
                function.typed::<(), ()>(&store)?.call(&mut store)?;
            }
        }
        let exports = |export: &Export| {
            instances.get(export.step).map(|step| &step.exports).context("the plan names a step that is not there")
        };
        let plan::Handler { world, function, post_return, memory, realloc } = &plan.handler;
        let handler = exports(function)?.get_function(&function.name)?;
        let after = post_return.as_ref().map(|export| anyhow::Ok(exports(export)?.get_function(&export.name)?));
        let after = after.transpose()?;
        let handler = match world {
            World::Http => {
                let after = after.map(|after| after.typed(&store)).transpose()?;
                Handler::Http(handler.typed(&store)?, after)
            }
            World::Direct => Handler::Direct(direct::Function::new(&store, handler, after, *memory, *realloc)?),
        };
        Ok(Self { store, env, handler, budget, table_limit: linked.table_limit })
    }

    /// Lets it answer a request, and waits for it to end.
    ///
    /// # Errors
    /// It does not end well, or is of the other world.
    pub fn serve(
        &mut self,
        request: IncomingRequest,
        reply: &Arc<Reply>,
        deadline: Instant,
        watchdog: &Watchdog,
    ) -> Result<(), Failure> {
        let Handler::Http(function, post_return) = &self.handler else { return Err(other_world()) };
        let state = self.env.as_mut(&mut self.store);
        state.deadline = deadline;
        state.reply = Some(Arc::clone(reply));
        let handles = state.handles.push(request).and_then(|request| {
            let outparam = state.handles.push(ResponseOutparam(Arc::clone(reply)))?;
            Ok((request.index().cast_signed(), outparam.index().cast_signed()))
        });
        let (request, outparam) = handles.map_err(|trap| Failure::Trapped(trap.into()))?;
        let watch = watchdog.watch(self.store.interrupter(), deadline, Some(Arc::clone(reply)));
        let ended = function.call(&mut self.store, request, outparam).and_then(|()| match post_return {
            Some(post_return) => post_return.call(&mut self.store),
            None => Ok(()),
        });
        let interrupted = watch.end();
        self.env.as_mut(&mut self.store).reply = None;
        ended.map_err(|error| failed(error.into(), interrupted, &self.budget, self.table_limit))
    }

    /// Asks it for the response to a request, as plain values.
    ///
    /// # Errors
    /// It does not end well, or is of the other world.
    pub fn ask(
        &mut self,
        request: &Request<Bytes>,
        deadline: Instant,
        watchdog: &Watchdog,
    ) -> Result<Response<Bytes>, Failure> {
        let Handler::Direct(function) = &self.handler else { return Err(other_world()) };
        self.env.as_mut(&mut self.store).deadline = deadline;
        let watch = watchdog.watch(self.store.interrupter(), deadline, None);
        let answered = function.call(&mut self.store, &self.env, request);
        let interrupted = watch.end();
        let answer = answered.map_err(|error| failed(error.into(), interrupted, &self.budget, self.table_limit))?;
        let headers = answer.headers.iter().map(|(name, value)| (name.as_str(), &value[..]));
        tare_host::direct::response(answer.status, headers, answer.body)
    }
}

/// The service asks only for what its component has.
fn other_world() -> Failure {
    Failure::Trapped(anyhow!("the component is of the other world"))
}

fn exported(instances: &[ModuleInstance], export: &Export) -> anyhow::Result<Extern> {
    let instance = instances.get(export.step).context("the plan imports from a step that is not there yet")?;
    let found = instance.exports.get_extern(&export.name).cloned();
    found.with_context(|| format!("module {} does not export `{}`", export.step, export.name))
}

/// What a module's start function did is the guest's; all else is the instantiation's.
fn started(error: InstantiationError) -> anyhow::Error {
    match error {
        InstantiationError::Start(error) => error.into(),
        other => other.into(),
    }
}

/// Tells how a call ended from its error, from whether it was interrupted at its deadline, and from the limits that the instance
/// has.
fn failed(error: anyhow::Error, interrupted: bool, budget: &Budget, table_limit: Option<u32>) -> Failure {
    let trap = error.downcast_ref::<RuntimeError>().and_then(RuntimeError::downcast_ref::<Trap>).map(Trap::cause);
    if interrupted || matches!(trap, Some(Trap::DeadlineReached)) {
        Failure::TooSlow
    } else if let Some(limit) = budget.refused() {
        Failure::OutOfMemory { limit, cause: error }
    } else if let (None, Some(limit)) = (trap, table_limit) {
        // Wasmer tells the guest alone that a table did not grow.
        let perhaps =
            format!("perhaps it was refused elements of a table, of which it may have {limit} (--table-elements)");
        Failure::Trapped(error.context(perhaps))
    } else {
        Failure::Trapped(error)
    }
}
