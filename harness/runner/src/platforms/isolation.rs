//! What each kind of variant keeps a service from.

use tare_model::Violation;

use super::MEMORY_LIMIT;
use super::wasm::GUEST_MEMORY_LIMIT;

/// What a variant keeps a service from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isolation {
    /// What it claims to prevent.
    pub prevents: &'static [Violation],
    /// The most memory of a service in bytes; where nothing limits it, what it must have for the limits of others to mean
    /// anything.
    pub memory_limit: u64,
    /// Whether who uses more memory is killed for it, and not only refused it.
    pub kills: bool,
}

impl Isolation {
    /// A plain process.
    pub const NONE: Self = Self { prevents: &[], memory_limit: MEMORY_LIMIT, kills: false };

    /// A component: it has what it imports, and nothing that it imports can do any of it.
    pub const COMPONENT: Self = Self { prevents: Violation::ALL, memory_limit: GUEST_MEMORY_LIMIT, kills: false };

    /// A container with a network of its own: its loopback address is not the host's, but it reaches other addresses.
    pub const CONTAINER: Self = Self { prevents: Violation::ALL, memory_limit: MEMORY_LIMIT, kills: true };

    /// A container on the host's network, whose loopback address it shares.
    pub const CONTAINER_ON_HOST_NETWORK: Self = Self {
        prevents: &[
            Violation::ReadFile,
            Violation::SeeEnvironment,
            Violation::WriteRoot,
            Violation::GainPrivileges,
            Violation::ExceedTasks,
            Violation::ExceedMemory,
        ],
        memory_limit: MEMORY_LIMIT,
        kills: true,
    };
}
