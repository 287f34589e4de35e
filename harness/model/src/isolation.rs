//! What was tried from inside of each setting, and what isolation made of it.

use serde::{Deserialize, Serialize};

use crate::VariantId;

/// What isolation may prevent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Violation {
    /// Reading a file of the host.
    ReadFile,
    /// Reading a variable of the environment of the harness.
    SeeEnvironment,
    /// Reaching a service on the host's loopback address. Other addresses are not tried.
    Connect,
    /// Making a file in the root folder.
    WriteRoot,
    /// Being root, having capabilities, or being able to gain either.
    GainPrivileges,
    /// Running more threads than allowed.
    ExceedTasks,
    /// Using more memory than allowed.
    ExceedMemory,
}

impl Violation {
    /// Every violation, in the order in which they are tried: the last one may end who tries it.
    pub const ALL: &[Self] = &[
        Self::ReadFile,
        Self::SeeEnvironment,
        Self::Connect,
        Self::WriteRoot,
        Self::GainPrivileges,
        Self::ExceedTasks,
        Self::ExceedMemory,
    ];

    /// Its name in the record and in paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadFile => "read-file",
            Self::SeeEnvironment => "see-environment",
            Self::Connect => "connect",
            Self::WriteRoot => "write-root",
            Self::GainPrivileges => "gain-privileges",
            Self::ExceedTasks => "exceed-tasks",
            Self::ExceedMemory => "exceed-memory",
        }
    }
}

/// One violation, tried in one setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsolationCheck {
    /// The variant that was probed.
    pub variant: VariantId,
    /// What was tried.
    pub violation: Violation,
    /// Whether the setting claims to prevent it.
    pub claimed: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// How it went, in words.
    pub detail: String,
}

/// What became of a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is claimed to be prevented, and was.
    Held,
    /// It is claimed to be prevented, and was done.
    Broken,
    /// Nothing is claimed, and it was done.
    Open,
    /// Nothing is claimed, and it could not be done.
    Closed,
    /// It shows nothing: it could not be tried, or a plain process cannot do it on this machine either.
    Void,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_round_trips_under_the_names_of_the_record() {
        for &violation in Violation::ALL {
            let check = IsolationCheck {
                variant: VariantId::new("docker", "scratch"),
                violation,
                claimed: true,
                outcome: Outcome::Held,
                detail: "Permission denied".into(),
            };
            let json = serde_json::to_value(&check).unwrap();
            assert_eq!((&json["violation"], &json["outcome"]), (&violation.name().into(), &"held".into()));
            assert_eq!(serde_json::from_value::<IsolationCheck>(json).unwrap(), check);
        }
    }
}
