//! Idempotency: a request that is sent twice under one key happens once, and is answered alike both times.

use axum::http::HeaderMap;
use hmac::{Hmac, Mac};
use service_kit::Problem;
use sha2::Sha256;

/// The header that carries the key, as in the draft of the IETF's HTTPAPI group.
const HEADER: &str = "idempotency-key";

/// The key of a request.
///
/// # Errors
/// When there is none, or it has not 1 to 64 visible ASCII characters.
pub fn key(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers.get(HEADER).ok_or_else(|| {
        Problem::bad_request(
            "Send a key that is new for each payment, capture or refund in the header: idempotency-key.",
        )
    })?;
    let visible = |text: &&str| (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    value
        .to_str()
        .ok()
        .filter(visible)
        .ok_or_else(|| Problem::bad_request("The header idempotency-key has 1 to 64 visible ASCII characters."))
}

/// Makes names and fingerprints that nobody without the secret can make or undo.
///
/// A plain hash of a card number can be undone by trying all of them, so PCI DSS 4.0, requirement 3.5.1.1, asks for a
/// keyed one.
#[derive(Clone)]
pub struct KeyedHash {
    mac: Hmac<Sha256>,
}

impl KeyedHash {
    /// With a secret of any length.
    pub fn new(secret: &[u8]) -> Self {
        Self { mac: Hmac::new_from_slice(secret).expect("HMAC takes keys of every length") }
    }

    /// The name of the payment that a merchant asks for under a key: always the same one, so that the payment's own
    /// record is all there is to write.
    pub fn payment_id(&self, merchant: &str, key: &str) -> String {
        let mut id = self.hash("payment", &[merchant.as_bytes(), key.as_bytes()]);
        id.truncate(32);
        id
    }

    /// The fingerprint of a request, from its parts.
    pub fn fingerprint(&self, parts: &[&[u8]]) -> String {
        self.hash("request", parts)
    }

    /// 64 lower-case hexadecimal digits. Each part goes in after its length, so that no two lists of parts are alike.
    fn hash(&self, purpose: &str, parts: &[&[u8]]) -> String {
        let mut mac = self.mac.clone();
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let bytes = mac.finalize().into_bytes();
        let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
        bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use service_kit::is_id;

    use super::*;

    #[test]
    fn the_key_is_read_and_checked() {
        let key = |value: &str| {
            let headers = HeaderMap::from_iter([(HEADER.parse().unwrap(), value.parse().unwrap())]);
            super::key(&headers).map(ToOwned::to_owned).map_err(|problem| problem.status().as_u16())
        };
        assert_eq!(key("k-1"), Ok("k-1".to_owned()));
        for wrong in ["", "a b", "\u{e9}", &"k".repeat(65)] {
            assert_eq!(key(wrong), Err(400), "{wrong}");
        }
        assert_eq!(super::key(&HeaderMap::new()).unwrap_err().status().as_u16(), 400);
    }

    #[test]
    fn names_are_identifiers_and_differ_with_every_part() {
        let hash = KeyedHash::new(b"secret");
        let id = hash.payment_id("shop", "key");
        assert!(is_id(&id));
        assert_eq!(id, hash.payment_id("shop", "key"));
        for other in [
            hash.payment_id("shopk", "ey"),
            hash.payment_id("shop", "key2"),
            KeyedHash::new(b"other").payment_id("shop", "key"),
        ] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn the_hash_is_hmac_sha_256() {
        // printf '\0\0\0\0\0\0\0\7request\0\0\0\0\0\0\0\1a' | openssl dgst -sha256 -hmac secret
        let expected = "91670c82602c1c8ac81e8067d7dbf24f1a210ab5281f5060c9516f9e42b406d1";
        assert_eq!(KeyedHash::new(b"secret").fingerprint(&[b"a"]), expected);
    }
}
