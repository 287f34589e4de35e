//! What is measured: a service on a platform in a variant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Service x platform x variant: one thing that is built, started, loaded and measured.
///
/// Its text form is `service/platform/variant`, as in `auth/wasmtime/aot`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// The service, as its folder under services/ is called.
    pub service: String,
    /// What runs it: `native`, `wasmtime`, `docker`.
    pub platform: String,
    /// A stated setting of the platform: `aot`, `scratch`.
    pub variant: String,
}

impl Subject {
    /// Puts the three names together; they are not checked against any registry.
    pub fn new(service: &str, platform: &str, variant: &str) -> Self {
        Self { service: service.into(), platform: platform.into(), variant: variant.into() }
    }

    /// The text form with dashes, fit for a file or container name: `auth-wasmtime-aot`.
    pub fn slug(&self) -> String {
        format!("{}-{}-{}", self.service, self.platform, self.variant)
    }

    /// `platform/variant`: the label of a row where the service is known.
    pub fn setting(&self) -> String {
        format!("{}/{}", self.platform, self.variant)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.service, self.platform, self.variant)
    }
}

/// A text that is not `service/platform/variant`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a subject: write it as service/platform/variant, for instance auth/wasmtime/aot")]
pub struct SubjectError(String);

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts[..] {
            [service, platform, variant] if parts.iter().all(|part| !part.is_empty()) => {
                Ok(Self::new(service, platform, variant))
            }
            _ => Err(SubjectError(text.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        let subject: Subject = "auth/wasmtime/aot".parse().unwrap();
        assert_eq!(subject, Subject::new("auth", "wasmtime", "aot"));
        assert_eq!(subject.to_string(), "auth/wasmtime/aot");
        assert_eq!(subject.slug(), "auth-wasmtime-aot");
    }

    #[test]
    fn a_malformed_subject_is_named() {
        for text in ["auth", "auth/wasmtime", "auth//aot", "a/b/c/d", ""] {
            let error = text.parse::<Subject>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }
}
