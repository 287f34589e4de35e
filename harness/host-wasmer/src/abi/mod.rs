//! The canonical ABI of the component model, host side: how values of WIT types pass between a guest's core functions and
//! its memory on one side and Rust on the other.
//!
//! What is written here is the part that imports of a component need: flattening of parameters, results and return
//! pointers, lists and strings through the guest's `realloc`, handles. Source of every rule: `CanonicalABI.md` of the
//! component model's specification (flattening, alignment, element size, `load`, `store`, `lift_flat`, `lower_flat`).
//!
//! Everything that comes from a guest is checked: a pointer that is not aligned or not in memory, an overlong list, text
//! that is not UTF-8, a discriminant out of range and a handle that is not there end the guest with a [`Trap`].

mod compound;
mod handles;
mod macros;
mod types;

pub use compound::{field, padded};
pub(crate) use compound::{joined, no_case};
pub use handles::{Borrow, Handles, Own, Resource};
pub(crate) use macros::{record, variant};
pub use types::{Allowance, Flat, Flats, Guest, Lift, Lower, Sink, Type, aligned, placed, placed_list};

/// The most core parameters of a function; above it, parameters pass through memory (`MAX_FLAT_PARAMS`).
pub const MAX_FLAT_PARAMS: usize = 16;

/// Why a guest is ended.
#[derive(Debug, thiserror::Error)]
pub enum Trap {
    /// It broke a rule of the canonical ABI or of an interface.
    #[error("{0}")]
    Misuse(String),
    /// It waited until its deadline.
    #[error("the deadline was reached")]
    DeadlineReached,
    /// It asked to end.
    #[error("it exited with status {0}")]
    Exit(u8),
    /// It failed while the host called it back.
    #[error(transparent)]
    Guest(anyhow::Error),
    /// Any of these, in a call of this function.
    #[error("in a call of `{function}`: {cause}")]
    In {
        /// Interface and function.
        function: String,
        /// What happened there.
        cause: Box<Self>,
    },
}

impl Trap {
    /// A rule was broken, in words.
    pub fn misuse(what: impl Into<String>) -> Self {
        Self::Misuse(what.into())
    }

    /// What happened, without where.
    pub fn cause(&self) -> &Self {
        match self {
            Self::In { cause, .. } => cause.cause(),
            other => other,
        }
    }
}
