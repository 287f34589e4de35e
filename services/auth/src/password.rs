//! Passwords, kept only as argon2id hashes.

use std::cell::RefCell;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::Deserialize;
use service_kit::random_bytes;

/// The memory, passes and lanes of the first of the equivalent argon2id profiles for machines with little memory to
/// spare in the OWASP Password Storage Cheat Sheet: 19 MiB, 2, 1.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The fewest and the most characters of a new password. The least is the one of the OWASP Application Security
/// Verification Standard; the most keeps a caller from making the service hash megabytes.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// The hash of a random password that nobody has, made with the same costs as real ones.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$07QrfcYLqd4KF4m1N2fJng$CxCCO5hr7LG1OPAQKHvIeqREe5n6p/crKfgEC3bmCiw";

/// A password as a caller sent it. It is never shown, not even in a message for developers.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Whether the password may be chosen by a new user.
    pub fn is_acceptable(&self) -> bool {
        LENGTH.contains(&self.0.chars().count())
    }

    /// The hash to keep, with a new random salt, in the PHC string format. `None` if there was no memory for it.
    pub fn hash(&self) -> Option<String> {
        let salt: [u8; 16] = random_bytes();
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are within argon2's bounds");
        Some(hash(&self.0, &salt, Algorithm::Argon2id, Version::V0x13, params)?.to_string())
    }

    /// Whether the password is the one of a user's hash. Without a user the same work is done for nothing, so that the
    /// time of the answer does not tell who has an account.
    pub fn matches(&self, hash: Option<&str>) -> bool {
        let matches = PasswordHash::new(hash.unwrap_or(DECOY)).is_ok_and(|kept| self.is_of(&kept) == Some(true));
        matches && hash.is_some()
    }

    /// Whether a hash is of this password. The costs of a hash are written in it, so that older ones can be verified
    /// after a change of costs.
    fn is_of(&self, kept: &PasswordHash) -> Option<bool> {
        let algorithm = Algorithm::try_from(kept.algorithm.as_str()).ok()?;
        let version = Version::try_from(kept.version?).ok()?;
        let made = hash(&self.0, kept.salt.as_ref()?, algorithm, version, Params::try_from(kept).ok()?)?;
        // The comparison takes the same time wherever the two differ.
        Some(made.hash? == kept.hash?)
    }
}

thread_local! {
    /// The memory that hashes are made in. A thread that computes hashes keeps it from one to the next: clearing and
    /// mapping 19 MiB for each costs a third of its time, and given back piece by piece, such blocks leave glibc's heap
    /// in shreds: a service grew to six of them and stayed there.
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Hashes a password. `None` for a salt or costs out of argon2's bounds, or if there is no memory.
fn hash(password: &str, salt: &[u8], algorithm: Algorithm, version: Version, params: Params) -> Option<PasswordHash> {
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let hasher = Argon2::new(algorithm, version, params);
    MEMORY.with_borrow_mut(|memory| {
        let blocks = hasher.params().block_count();
        memory.try_reserve_exact(blocks.saturating_sub(memory.len())).ok()?;
        memory.resize(blocks, Block::new());
        hasher.hash_password_into_with_memory(password.as_bytes(), salt, &mut output, memory).ok()
    })?;
    Some(PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(version.into()),
        params: ParamsString::try_from(hasher.params()).ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(Output::new(&output).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let hash = password("correct horse").hash().unwrap();
        assert!(password("correct horse").matches(Some(&hash)));
        assert!(!password("correct horse ").matches(Some(&hash)));
        assert!(!password("correct horse").matches(Some("no hash")));
    }

    #[test]
    fn equal_passwords_have_different_hashes() {
        assert_ne!(password("correct horse").hash(), password("correct horse").hash());
    }

    #[test]
    fn the_costs_are_the_stated_profile() {
        let hash = password("correct horse").hash().unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }

    #[test]
    fn the_decoy_costs_what_a_real_hash_costs_and_lets_nobody_in() {
        let decoy = PasswordHash::new(DECOY).unwrap();
        let real = password("correct horse").hash().unwrap();
        let real = PasswordHash::new(&real).unwrap();
        assert_eq!((decoy.algorithm, decoy.version, &decoy.params), (real.algorithm, real.version, &real.params));
        assert_eq!(decoy.hash.unwrap().len(), real.hash.unwrap().len());
        assert!(!password("").matches(None));
    }

    #[test]
    fn the_length_is_counted_in_characters() {
        assert!(!password("1234567").is_acceptable());
        assert!(password("12345678").is_acceptable());
        assert!(password(&"\u{e9}".repeat(128)).is_acceptable());
        assert!(!password(&"a".repeat(129)).is_acceptable());
    }

    #[test]
    fn the_hash_is_the_one_of_the_reference_implementation() {
        // echo -n password | argon2 somesalt -id -v 13 -k 65536 -t 2 -p 1 -l 32, from the reference's own test vectors.
        let params = Params::new(65536, 2, 1, Some(32)).unwrap();
        let hash = hash("password", b"somesalt", Algorithm::Argon2id, Version::V0x13, params).unwrap().to_string();
        let expected = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(hash, expected);
        assert!(password("password").matches(Some(expected)));
    }
}
