//! Calling a component with a request as plain values, which returns the response: the world `tare:direct`.

use bytes::Bytes;
use http::Request;
use tare_host::direct::target;
use wasmer::{AsStoreRef, FunctionEnv, RuntimeError, Store, TypedFunction};

use crate::abi::{Allowance, Lift, Trap, Type, aligned, placed, placed_list, record};
use crate::call::Call;
use crate::state::State;
use crate::wasi::Caller;

record! {
    /// What a component answers.
    pub struct Answer {
        /// The status.
        status: u16,
        /// Names and values.
        headers: Vec<(String, Bytes)>,
        /// The body.
        body: Bytes,
    }
}

/// Address and length of method, target, headers and body; returns the address of the answer.
type Core = TypedFunction<(i32, i32, i32, i32, i32, i32, i32, i32), i32>;

/// The handler of an instance.
pub struct Function {
    handler: Core,
    post_return: Option<TypedFunction<i32, ()>>,
    memory: Option<usize>,
    realloc: Option<usize>,
}

impl Function {
    /// A core function, and what is to be called after it; values pass by this memory and this realloc.
    ///
    /// # Errors
    /// It is of another type.
    pub fn new(
        store: &impl AsStoreRef,
        handler: &wasmer::Function,
        post_return: Option<&wasmer::Function>,
        memory: Option<usize>,
        realloc: Option<usize>,
    ) -> anyhow::Result<Self> {
        let post_return = post_return.map(|function| function.typed(store)).transpose()?;
        Ok(Self { handler: handler.typed(store)?, post_return, memory, realloc })
    }

    /// Calls it.
    ///
    /// # Errors
    /// The guest fails, or breaks a rule of the canonical ABI.
    pub fn call(
        &self,
        store: &mut Store,
        env: &FunctionEnv<State>,
        request: &Request<Bytes>,
    ) -> Result<Answer, RuntimeError> {
        let mut call = Call::of_guest(env.clone().into_mut(store), self.memory, self.realloc);
        let headers = request.headers().iter();
        let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let lower = || {
            Ok([
                placed(&mut call, request.method().as_str().as_bytes())?,
                placed(&mut call, target(request).as_bytes())?,
                placed_list(&mut call, headers)?,
                placed(&mut call, request.body())?,
            ])
        };
        let lowered = lower().map_err(named)?.map(|(at, length)| (at.cast_signed(), length.cast_signed()));
        let [method, target, headers, body] = lowered;
        let at =
            self.handler.call(store, method.0, method.1, target.0, target.1, headers.0, headers.1, body.0, body.1)?;
        let call = Call::of_guest(env.clone().into_mut(store), self.memory, self.realloc);
        let lift = |at| {
            aligned(at, Answer::ALIGN)?;
            Answer::load(call.guest().within(&Allowance::default()), at)
        };
        let answer = lift(at.cast_unsigned()).map_err(named)?;
        if let Some(post_return) = &self.post_return {
            post_return.call(store, at)?;
        }
        Ok(answer)
    }
}

/// What ends the guest, with the function's name.
fn named(cause: Trap) -> RuntimeError {
    let function = "tare:direct/handler handle".to_owned();
    RuntimeError::user(Box::new(Trap::In { function, cause: Box::new(cause) }))
}
