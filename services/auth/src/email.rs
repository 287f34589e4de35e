//! E-mail addresses, as names of accounts.

use serde::{Deserialize, Serialize};

/// The longest address that can be delivered to, in bytes: RFC 5321, section 4.5.3.1.3, less the angle brackets.
const MAX_LENGTH: usize = 254;

/// The longest part before the `@`, in bytes: RFC 5321, section 4.5.3.1.1.
const MAX_LOCAL: usize = 64;

/// An address in the one form in which it names an account: lower case, so that nobody registers it twice by mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Reads an address. Takes the usual ones: no quoted parts, no comments, a domain with a dot. Whether it exists can
    /// only be told by writing to it.
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.split_once('@')?;
        let usual = |byte: u8| byte.is_ascii_graphic() && !b"\"(),:;<>@[\\]".contains(&byte);
        let dotted = |part: &str| part.split('.').all(|label| !label.is_empty());
        let in_domain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let fits = text.len() <= MAX_LENGTH && local.len() <= MAX_LOCAL;
        let right = dotted(local) && local.bytes().all(usual) && dotted(domain) && domain.bytes().all(in_domain);
        (fits && right && domain.contains('.')).then(|| Self(text.to_ascii_lowercase()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn usual_addresses_are_taken_in_lower_case() {
        for (text, expected) in [
            ("ann@example.com", "ann@example.com"),
            ("Ann.Bee+news@Mail.Example.COM", "ann.bee+news@mail.example.com"),
            ("o'hara_1@xn--bcher-kva.example", "o'hara_1@xn--bcher-kva.example"),
        ] {
            assert_eq!(Email::parse(text).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", "b".repeat(250));
        for text in [
            "",
            "@",
            "ann",
            "ann@",
            "@example.com",
            "ann@example",
            "ann@@example.com",
            "a nn@example.com",
            "ann@exa mple.com",
            "ann@example..com",
            ".ann@example.com",
            "ann.@example.com",
            "ann@example.com\n",
            "ann@exa/mple.com",
            &long,
            &longer,
        ] {
            assert_eq!(Email::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_read_reads_the_same_again(text in "[a-zA-Z.@+]{1,20}@[a-zA-Z.-]{1,20}") {
            if let Some(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()), Some(email));
            }
        }
    }
}
