//! `wasi:sockets`: there are none. What a component imports of it is linked, and whoever asks for a socket is told that access
//! is denied, so that a component which only imports them runs.
//!
//! Wasmtime's own sockets could deny as well. But a host would carry and load their code, a tenth of its memory, for nothing.

use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem};
use wasmtime::component::{Component, Linker, LinkerInstance, Resource, ResourceType, Val};
use wasmtime::{Engine, Result, StoreContextMut, bail};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};

use crate::state::State;

/// A handle on a network, which leads nowhere, or on one of the things that nobody gets.
struct Nothing;

/// Links what a component imports of sockets.
///
/// # Errors
/// It was linked before.
pub fn add_to_linker(linker: &mut Linker<State>, engine: &Engine, component: &Component) -> Result<()> {
    for (name, import) in component.component_type().imports(engine) {
        if let (true, ComponentItem::ComponentInstance(interface)) = (is_of_sockets(name), import.ty) {
            add_interface(&mut linker.instance(name)?, engine, &interface)?;
        }
    }
    Ok(())
}

/// Whether an interface is one of sockets.
pub fn is_of_sockets(name: &str) -> bool {
    name.starts_with("wasi:sockets/")
}

fn add_interface(linker: &mut LinkerInstance<'_, State>, engine: &Engine, interface: &ComponentInstance) -> Result<()> {
    for (name, export) in interface.exports(engine) {
        match export.ty {
            ComponentItem::Resource(_) => {
                let ty = match name {
                    "pollable" => ResourceType::host::<DynPollable>(),
                    "input-stream" => ResourceType::host::<DynInputStream>(),
                    "output-stream" => ResourceType::host::<DynOutputStream>(),
                    _ => ResourceType::host::<Nothing>(),
                };
                linker.resource(name, ty, |_, _| Ok(()))?;
            }
            ComponentItem::ComponentFunc(_) if name == "instance-network" => linker.func_new(name, network)?,
            ComponentItem::ComponentFunc(_) if name.starts_with("[method]") => linker.func_new(name, out_of_reach)?,
            ComponentItem::ComponentFunc(_) => linker.func_new_async(name, denied)?,
            _ => {}
        }
    }
    Ok(())
}

/// Returns a handle on the network.
fn network(store: StoreContextMut<'_, State>, _: ComponentFunc, _: &[Val], results: &mut [Val]) -> Result<()> {
    let network = Resource::<Nothing>::new_own(0).try_into_resource_any(store)?;
    put(results, Val::Resource(network))
}

/// Says that access is denied: what creates a socket, and what looks up a name.
fn denied<'a>(
    mut store: StoreContextMut<'a, State>,
    _: ComponentFunc,
    params: &'a [Val],
    results: &'a mut [Val],
) -> Box<dyn Future<Output = Result<()>> + Send + 'a> {
    Box::new(async move {
        // What was lent to the host must be given back.
        for param in params {
            if let Val::Resource(lent) = param {
                lent.resource_drop_async(&mut store).await?;
            }
        }
        put(results, Val::Result(Err(Some(Box::new(Val::Enum("access-denied".to_owned()))))))
    })
}

/// Works on what nobody can have a handle on.
fn out_of_reach(_: StoreContextMut<'_, State>, _: ComponentFunc, _: &[Val], _: &mut [Val]) -> Result<()> {
    bail!("a socket is used, and there is none")
}

/// Puts down the one result of a function.
fn put(results: &mut [Val], value: Val) -> Result<()> {
    let [result] = results else { bail!("a function of wasi:sockets has one result") };
    *result = value;
    Ok(())
}
