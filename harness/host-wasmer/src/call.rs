//! A call of the host by a guest, over Wasmer.

use wasmer::{AsStoreMut, Function, FunctionEnv, FunctionEnvMut, FunctionType, Memory, RuntimeError, Type, Value};

use crate::abi::{Flat, Guest, Sink, Trap, aligned};
use crate::plan::{HostImport, Signature};
use crate::state::State;
use crate::wasi::{self, Caller, HostFunction};

/// A host function with what it works on.
#[derive(Debug, Clone, Copy)]
struct Bound {
    function: Option<&'static HostFunction>,
    memory: Option<usize>,
    realloc: Option<usize>,
}

/// An import that was found, ready to be made a function of a store for each instance.
#[derive(Debug)]
pub struct Imported {
    bound: Bound,
    signature: Signature,
    /// Parameters and result in letters.
    spelled: (String, String),
}

/// An import that this host does not have.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// There is no such function.
    #[error("there is no `{name}` of `{interface}`")]
    Missing {
        /// The interface.
        interface: String,
        /// The function's name.
        name: String,
    },
    /// There is, and it has other types.
    #[error("`{name}` of `{interface}` is imported as {imported}, and is {offered}")]
    Type {
        /// The interface.
        interface: String,
        /// The function's name.
        name: String,
        /// What the component wants.
        imported: Signature,
        /// What the host has.
        offered: Signature,
    },
}

impl Imported {
    /// Finds the function that an import is.
    ///
    /// # Errors
    /// There is none, or it is of another type.
    pub fn new(import: &HostImport) -> Result<Self, BindError> {
        let HostImport { callee, interface, name, memory, realloc, signature } = import;
        let function = wasi::resolve(*callee, interface, name);
        match function {
            Some(function) => {
                let offered = Signature { params: function.params.clone(), result: function.result };
                if offered != *signature {
                    let (interface, name, imported) = (interface.clone(), name.clone(), signature.clone());
                    return Err(BindError::Type { interface, name, imported, offered });
                }
            }
            None if wasi::is_out_of_reach(interface, name) => {}
            None => return Err(BindError::Missing { interface: interface.clone(), name: name.clone() }),
        }
        let bound = Bound { function, memory: *memory, realloc: *realloc };
        let spelled = (spell(&signature.params), spell(signature.result.as_slice()));
        Ok(Self { bound, signature: signature.clone(), spelled })
    }
}

impl Bound {
    fn call(self, env: FunctionEnvMut<'_, State>, values: &[u64]) -> Result<u64, Trap> {
        let Some(function) = self.function else {
            return Err(Trap::misuse("a file or a socket is used, and there is none"));
        };
        let mut call = Call { env, bound: self };
        if call.env.data().allocating {
            return Err(Trap::misuse("the host is called while it asks for memory"));
        }
        function.call(&mut call, values)
    }
}

/// A call under way, in either direction: values pass through the guest's memory.
pub struct Call<'a> {
    env: FunctionEnvMut<'a, State>,
    bound: Bound,
}

impl<'a> Call<'a> {
    /// Of a guest by the host: its values pass by this memory and this realloc, each one of the plan's.
    pub fn of_guest(env: FunctionEnvMut<'a, State>, memory: Option<usize>, realloc: Option<usize>) -> Self {
        Self { env, bound: Bound { function: None, memory, realloc } }
    }

    /// The memory that values pass through, or `None` if the function has none.
    fn memory(&self) -> Option<&Memory> {
        self.env.data().links.memories.get(self.bound.memory?)?.as_ref()
    }
}

impl Caller for Call<'_> {
    #[expect(unsafe_code, reason = "Wasmer's safe way to read memory copies a byte at a time")]
    fn guest(&self) -> Guest<'_> {
        let Some(memory) = self.memory() else { return Guest::new(&[]) };
        let view = memory.view(&self.env);
        // SAFETY: the memory is not shared between threads (`reader` refuses those), and the only code that changes it
        // is the guest's, which waits for this call, and `Sink` below, which needs this borrow to have ended. It is not
        // unmapped before the store is dropped, and it is moved or grown only by the guest's own code, in `allocate`.
        Guest::new(unsafe {
            std::slice::from_raw_parts(view.data_ptr(), usize::try_from(view.data_size()).unwrap_or(0))
        })
    }

    fn state(&mut self) -> &mut State {
        self.env.data_mut()
    }
}

impl Sink for Call<'_> {
    #[expect(unsafe_code, reason = "Wasmer's safe way to write memory copies a byte at a time")]
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Trap> {
        let length = u32::try_from(bytes.len()).map_err(|_| Trap::misuse("a value does not fit into memory"))?;
        self.guest().bytes(at, length)?;
        let Some(memory) = self.memory() else { return Ok(()) };
        let (memory, at) = (memory.view(&self.env).data_ptr(), usize::try_from(at).unwrap_or(usize::MAX));
        // SAFETY: `bytes` above has checked that all of it is in this memory, and its borrow has ended. The pointer is the
        // memory's own, made for writing. No guest code runs meanwhile, and what is written is the host's and elsewhere.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), memory.add(at), bytes.len()) };
        Ok(())
    }

    fn allocate(&mut self, size: u32, align: u32) -> Result<u32, Trap> {
        let realloc = self.bound.realloc.and_then(|index| self.env.data().links.reallocs.get(index)?.clone());
        let Some(realloc) = realloc else {
            return Err(Trap::misuse("a list is to be returned, and there is no `realloc` to ask for memory"));
        };
        self.env.data_mut().allocating = true;
        let given = realloc.call(&mut self.env, 0, 0, align.cast_signed(), size.cast_signed());
        self.env.data_mut().allocating = false;
        let at = given.map_err(|error| Trap::Guest(error.into()))?.cast_unsigned();
        aligned(at, align)?;
        self.guest().bytes(at, size)?;
        Ok(at)
    }
}

/// The host function of an import, as one of a store.
///
/// Wasmer calls a function whose Rust type is known without packing its values; so the types that the interfaces have are
/// listed, and what else a component may bring takes the slower way.
pub fn host_function(store: &mut impl AsStoreMut, env: &FunctionEnv<State>, import: &Imported) -> Function {
    let Imported { bound, signature, spelled } = import;
    let bound = *bound;
    macro_rules! typed {
        ($($params:ident -> $result:ident: ($($value:ident: $type:ty),*) $(as $returned:ty)?;)*) => {
            match (spelled.0.as_str(), spelled.1.as_str()) {
                $((stringify!($params), stringify!($result)) => Function::new_typed_with_env(
                    store,
                    env,
                    move |env: FunctionEnvMut<'_, State> $(, $value: $type)*| -> Result<typed!(@of $($returned)?), Trap> {
                        let result = bound.call(env, &[$(widened($value)),*])?;
                        Ok(typed!(@as result $($returned)?))
                    },
                ),)*
                _ => dynamic(store, env, bound, signature),
            }
        };
        (@of) => { () };
        (@of $returned:ty) => { $returned };
        (@as $result:ident) => { { let _ = $result; } };
        (@as $result:ident $returned:ty) => { <$returned as Core>::narrowed($result) };
    }
    typed! {
        n -> n: ();
        n -> i: () as i32;
        n -> l: () as i64;
        i -> n: (a: i32);
        i -> i: (a: i32) as i32;
        l -> i: (a: i64) as i32;
        ii -> n: (a: i32, b: i32);
        ii -> i: (a: i32, b: i32) as i32;
        li -> n: (a: i64, b: i32);
        iii -> n: (a: i32, b: i32, c: i32);
        iii -> i: (a: i32, b: i32, c: i32) as i32;
        ili -> n: (a: i32, b: i64, c: i32);
        ill -> i: (a: i32, b: i64, c: i64) as i32;
        iiii -> n: (a: i32, b: i32, c: i32, d: i32);
        iiii -> i: (a: i32, b: i32, c: i32, d: i32) as i32;
        iili -> n: (a: i32, b: i32, c: i64, d: i32);
        iiili -> n: (a: i32, b: i32, c: i32, d: i64, e: i32);
        iiiii -> n: (a: i32, b: i32, c: i32, d: i32, e: i32);
        iiiiii -> n: (a: i32, b: i32, c: i32, d: i32, e: i32, f: i32);
        iiiiliiii -> n: (a: i32, b: i32, c: i32, d: i32, e: i64, f: i32, g: i32, h: i32, i: i32);
    }
}

/// A function that takes values as they come.
fn dynamic(store: &mut impl AsStoreMut, env: &FunctionEnv<State>, bound: Bound, signature: &Signature) -> Function {
    let result = signature.result;
    Function::new_with_env(store, env, function_type(signature), move |env, values| {
        let values: Vec<u64> = values.iter().map(raw).collect();
        let value = bound.call(env, &values).map_err(|trap| RuntimeError::user(Box::new(trap)))?;
        Ok(match result {
            None => Vec::new(),
            Some(Flat::I32) => vec![Value::I32(i32::narrowed(value))],
            Some(Flat::I64) => vec![Value::I64(i64::narrowed(value))],
        })
    })
}

/// A function that passes each call on to a function that is there by then.
pub fn later_function(
    store: &mut impl AsStoreMut,
    env: &FunctionEnv<State>,
    index: usize,
    signature: &Signature,
) -> Function {
    Function::new_with_env(store, env, function_type(signature), move |mut env, values| {
        let function = env.data().links.later.get(index).and_then(Clone::clone);
        let early = || RuntimeError::new("a function is called before the module that has it is instantiated");
        let results = function.ok_or_else(early)?.call(&mut env, values)?;
        Ok(results.into_vec())
    })
}

/// A core type as Wasmer has it.
pub fn function_type(signature: &Signature) -> FunctionType {
    let of = |flat: &Flat| match flat {
        Flat::I32 => Type::I32,
        Flat::I64 => Type::I64,
    };
    FunctionType::new(
        signature.params.iter().map(of).collect::<Vec<_>>(),
        signature.result.iter().map(of).collect::<Vec<_>>(),
    )
}

/// Types in letters: `i` and `l` for 32 and 64 bits, `n` for none.
fn spell(flats: &[Flat]) -> String {
    if flats.is_empty() {
        return "n".to_owned();
    }
    flats.iter().map(|flat| if *flat == Flat::I32 { 'i' } else { 'l' }).collect()
}

fn raw(value: &Value) -> u64 {
    match value {
        Value::I32(value) => widened(*value),
        Value::I64(value) => widened(*value),
        // No signature has another type.
        _ => 0,
    }
}

/// A core value in Rust.
trait Core {
    /// Its bits, zeros above.
    fn widen(self) -> u64;

    /// From its bits.
    fn narrowed(bits: u64) -> Self;
}

impl Core for i32 {
    fn widen(self) -> u64 {
        u64::from(self.cast_unsigned())
    }

    #[expect(clippy::cast_possible_truncation, reason = "the bits above are zeros")]
    fn narrowed(bits: u64) -> Self {
        (bits as u32).cast_signed()
    }
}

impl Core for i64 {
    fn widen(self) -> u64 {
        self.cast_unsigned()
    }

    fn narrowed(bits: u64) -> Self {
        bits.cast_signed()
    }
}

fn widened(value: impl Core) -> u64 {
    value.widen()
}
