//! Identifiers: 128 random bits as 32 lower-case hexadecimal digits, which nobody can guess or run out of.

/// The number of digits of an identifier.
const DIGITS: usize = 32;

/// Random bytes for identifiers, salts and the like, from the system.
///
/// # Panics
/// When the system has no random numbers to give; nothing can be kept safe then.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes
}

/// A new identifier.
pub fn random_id() -> String {
    format!("{:032x}", u128::from_be_bytes(random_bytes()))
}

/// Whether a text has the form of an identifier; asked before it becomes part of a key of the store.
pub fn is_id(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_their_form_and_differ() {
        let (one, other) = (random_id(), random_id());
        assert!(is_id(&one) && is_id(&other));
        assert_ne!(one, other);
        assert!(is_id("000000000000000000000000000000ff"));
        for text in ["", "00", "000000000000000000000000000000FF", "000000000000000000000000000000f/"] {
            assert!(!is_id(text), "{text}");
        }
    }
}
