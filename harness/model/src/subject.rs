//! What is measured: a service, in an implementation, on a platform in a variant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The implementation that the workspace builds; left out where a subject is written.
pub const DEFAULT_IMPLEMENTATION: &str = "rust";

/// A platform in a stated setting, written `platform/variant`: `docker/scratch`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VariantId {
    /// What runs a service: `native`, `wasmtime`, `docker`.
    pub platform: String,
    /// A stated setting of the platform: `aot`, `scratch`.
    pub variant: String,
}

impl VariantId {
    /// Puts the two names together; they are not checked against any registry.
    pub fn new(platform: &str, variant: &str) -> Self {
        Self { platform: platform.into(), variant: variant.into() }
    }

    /// The subject of a service's implementation in this variant.
    pub fn of(&self, service: &str, implementation: &str) -> Subject {
        Subject {
            service: service.into(),
            implementation: implementation.into(),
            platform: self.platform.clone(),
            variant: self.variant.clone(),
        }
    }
}

impl fmt::Display for VariantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.platform, self.variant)
    }
}

/// A text that is not `platform/variant`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a variant: write it as platform/variant, for instance docker/scratch")]
pub struct VariantIdError(String);

impl FromStr for VariantId {
    type Err = VariantIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split('/').collect::<Vec<_>>()[..] {
            [platform, variant] if check_name(platform).and(check_name(variant)).is_ok() => {
                Ok(Self::new(platform, variant))
            }
            _ => Err(VariantIdError(text.into())),
        }
    }
}

impl TryFrom<String> for VariantId {
    type Error = VariantIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<VariantId> for String {
    fn from(id: VariantId) -> Self {
        id.to_string()
    }
}

/// Service x implementation x platform x variant: one thing that is built, started, loaded and measured.
///
/// Its text form is `service/platform/variant` for the default implementation, as in `auth/wasmtime/aot`, and
/// `service:implementation/platform/variant` for another, as in `auth:go/wasmtime/aot`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Names")]
pub struct Subject {
    /// The service: what is asked.
    pub service: String,
    /// Where its artifacts come from.
    pub implementation: String,
    /// What runs it: `native`, `wasmtime`, `docker`.
    pub platform: String,
    /// A stated setting of the platform: `aot`, `scratch`.
    pub variant: String,
}

impl Subject {
    /// The default implementation of a service; the names are not checked against any registry.
    pub fn new(service: &str, platform: &str, variant: &str) -> Self {
        VariantId::new(platform, variant).of(service, DEFAULT_IMPLEMENTATION)
    }

    /// Checks its names, of which files and containers are called.
    ///
    /// # Errors
    /// What is wrong with the first that is none.
    pub fn check(&self) -> Result<(), String> {
        [&self.service, &self.implementation, &self.platform, &self.variant]
            .into_iter()
            .try_for_each(|it| check_name(it))
    }

    /// Its text form with dashes, fit for a file or container name: `auth-wasmtime-aot`, `auth-go-wasmtime-aot`.
    pub fn slug(&self) -> String {
        self.to_string().replace(['/', ':'], "-")
    }

    /// The platform and variant: what tells it from others of its service and implementation.
    pub fn variant_id(&self) -> VariantId {
        VariantId::new(&self.platform, &self.variant)
    }

    /// The same service and implementation in another variant.
    #[must_use]
    pub fn in_variant(&self, id: &VariantId) -> Self {
        id.of(&self.service, &self.implementation)
    }

    /// Whether its artifacts are those of the workspace.
    pub fn is_default(&self) -> bool {
        self.implementation == DEFAULT_IMPLEMENTATION
    }
}

/// As [`Subject`] is written, its names unchecked.
#[derive(Deserialize)]
struct Names {
    service: String,
    implementation: String,
    platform: String,
    variant: String,
}

impl TryFrom<Names> for Subject {
    type Error = String;

    fn try_from(Names { service, implementation, platform, variant }: Names) -> Result<Self, String> {
        let subject = Self { service, implementation, platform, variant };
        subject.check()?;
        Ok(subject)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, implementation, platform, variant } = self;
        if self.is_default() {
            write!(f, "{service}/{platform}/{variant}")
        } else {
            write!(f, "{service}:{implementation}/{platform}/{variant}")
        }
    }
}

/// A text that is not a subject.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a subject: write it as service/platform/variant or service:implementation/platform/variant, for \
     instance auth/wasmtime/aot"
)]
pub struct SubjectError(String);

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (service, id) = text.split_once('/')?;
            let (service, implementation) = service.split_once(':').unwrap_or((service, DEFAULT_IMPLEMENTATION));
            let is_name = |name: &str| check_name(name).is_ok();
            (is_name(service) && is_name(implementation)).then_some(())?;
            Some(id.parse::<VariantId>().ok()?.of(service, implementation))
        };
        parse().ok_or_else(|| SubjectError(text.into()))
    }
}

/// The most characters of a name of a service or an implementation.
const LONGEST_NAME: usize = 64;

/// Checks a name of a service or an implementation, which becomes a part of file, container and image names: lower-case
/// letters and digits, and between them one `-`, `_` or `.` at a time.
///
/// # Errors
/// What is wrong with it, with what is allowed.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit();
    let parts = name.split(['-', '_', '.']);
    if name.len() <= LONGEST_NAME && parts.into_iter().all(|part| !part.is_empty() && part.chars().all(is_plain)) {
        return Ok(());
    }
    let shown: String = name.chars().take(LONGEST_NAME).flat_map(char::escape_debug).collect();
    Err(format!(
        "`{shown}` is not a name: use up to {LONGEST_NAME} lower-case letters and digits, with single `-`, `_` and `.` between \
         them"
    ))
}

/// The most characters of a run's name.
const LONGEST_RUN: usize = 128;

/// Checks the name of a run, after which folders are called: letters and digits, and `-`, `_` and `.` after the first.
///
/// # Errors
/// What is wrong with it.
pub fn check_run_name(name: &str) -> Result<(), String> {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    if name.len() <= LONGEST_RUN
        && name.chars().all(is_plain)
        && name.starts_with(|char: char| char.is_ascii_alphanumeric())
    {
        return Ok(());
    }
    let shown: String = name.chars().take(LONGEST_RUN).flat_map(char::escape_debug).collect();
    Err(format!(
        "`{shown}` is not a run's name: it has letters, digits, `-`, `_` and `.`, and not more than {LONGEST_RUN}"
    ))
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
        let other: Subject = "auth:go/wasmtime/aot".parse().unwrap();
        assert_eq!((other.service.as_str(), other.implementation.as_str()), ("auth", "go"));
        assert_eq!((other.to_string(), other.slug()), ("auth:go/wasmtime/aot".into(), "auth-go-wasmtime-aot".into()));
        assert_eq!(other.in_variant(&VariantId::new("docker", "image")).to_string(), "auth:go/docker/image");
        assert_eq!("auth:rust/wasmtime/aot".parse::<Subject>().unwrap(), subject);
    }

    #[test]
    fn a_malformed_subject_is_named() {
        for text in ["auth", "auth/wasmtime", "auth//aot", "a/b/c/d", "", ":go/a/b", "a:/b/c", "a:b:c/d/e"] {
            let error = text.parse::<Subject>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn a_variant_is_one_text_in_json() {
        let id = VariantId::new("docker", "scratch");
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""docker/scratch""#);
        assert_eq!(serde_json::from_str::<VariantId>(r#""docker/scratch""#).unwrap(), id);
        let error = serde_json::from_str::<VariantId>(r#""docker""#).unwrap_err().to_string();
        assert!(error.contains("`docker` is not a variant"), "{error}");
    }

    #[test]
    fn names_that_would_be_paths_or_commands_are_refused() {
        for name in ["auth", "my-service_2", "v1.2", "0"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in
            ["", "..", "a--b", "a-", "a@b", "../x", "a/b", "a:b", "Auth", "=1", "a b", "\u{1b}[31m", &"a".repeat(65)]
        {
            let error = check_name(name).unwrap_err();
            assert!(error.contains("is not a name") && !error.contains('\u{1b}'), "{error}");
        }
    }
}
