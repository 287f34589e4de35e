//! A service's settings, from its environment.

/// What is wrong with a service's environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable that must be there is not.
    #[error("the environment variable {0} is missing; set it to a secret of at least {MIN_SECRET} bytes")]
    Missing(&'static str),
    /// A secret that could be guessed.
    #[error("the environment variable {0} is shorter than {MIN_SECRET} bytes; set it to a longer secret")]
    TooShort(&'static str),
}

/// The shortest key for HMAC-SHA-256 that RFC 7518, section 3.2, allows: as long as the hash, in bytes.
const MIN_SECRET: usize = 32;

/// A key for message authentication, from the environment.
pub fn secret(variable: &'static str) -> Result<Vec<u8>, ConfigError> {
    check(variable, std::env::var_os(variable).map(std::ffi::OsString::into_encoded_bytes))
}

fn check(variable: &'static str, value: Option<Vec<u8>>) -> Result<Vec<u8>, ConfigError> {
    match value {
        None => Err(ConfigError::Missing(variable)),
        Some(value) if value.len() < MIN_SECRET => Err(ConfigError::TooShort(variable)),
        Some(value) => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_must_be_there_and_long_enough() {
        assert_eq!(check("KEY", None), Err(ConfigError::Missing("KEY")));
        assert_eq!(check("KEY", Some(vec![b'a'; 31])), Err(ConfigError::TooShort("KEY")));
        assert_eq!(check("KEY", Some(vec![b'a'; 32])), Ok(vec![b'a'; 32]));
    }
}
