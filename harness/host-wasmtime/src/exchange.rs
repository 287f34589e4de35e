//! What passes between the host and an instance during one request.

use std::sync::{Mutex, PoisonError};

use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

/// What a component answers.
pub type GuestAnswer = Result<http::Response<WasiBody>, ErrorCode>;

/// Shared by the host and one request's instance.
#[derive(Default)]
pub struct Exchange {
    answer: Mutex<Option<GuestAnswer>>,
}

impl Exchange {
    /// The component answers; the first answer counts.
    pub fn set(&self, answer: GuestAnswer) {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(answer);
    }

    /// Whether the component has answered.
    pub fn has_answer(&self) -> bool {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The component's answer.
    pub fn take(&self) -> Option<GuestAnswer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
