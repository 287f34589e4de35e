//! Session tokens: JSON Web Tokens (RFC 7519), signed by HMAC-SHA-256 (`HS256`).

use chrono::{DateTime, TimeDelta, Utc};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, UntrustedToken};
use serde::{Deserialize, Serialize};

/// How long a token is good for, in seconds.
pub const LIFETIME_SECONDS: u32 = 3600;

/// Who issues the tokens: the claim `iss`.
const ISSUER: &str = "auth";

/// Why a token is refused. The caller is not told which: that would help only a forger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It does not have the form of a token.
    Malformed,
    /// It is signed in another way or with another key, or it was changed, or it is another issuer's.
    Forged,
    /// Its time is over, or it has none.
    Expired,
}

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The identifier of the user.
    pub user: String,
    /// When the user logged in, in seconds since 1970.
    pub issued_at: u64,
    /// When the token ceases to be good, in seconds since 1970.
    pub expires_at: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    iss: String,
    sub: String,
}

/// Issues and verifies tokens with one key.
pub struct Tokens {
    key: Hs256Key,
}

impl Tokens {
    /// Tokens signed with this key.
    pub fn new(key: &[u8]) -> Self {
        Self { key: Hs256Key::new(key) }
    }

    /// A token for a user, good from `now` (seconds since 1970) on. `None` when that time is beyond the calendar.
    pub fn issue(&self, user: &str, now: u64) -> Option<String> {
        let now = moment(now)?;
        let lifetime = TimeDelta::seconds(i64::from(LIFETIME_SECONDS));
        let claims = Claims::new(Subject { iss: ISSUER.to_owned(), sub: user.to_owned() })
            .set_duration_and_issuance(&clock(now), lifetime);
        Hs256.token(&Header::empty().with_token_type("JWT"), &claims, &self.key).ok()
    }

    /// Verifies a token's form, algorithm, signature, issuer and time.
    pub fn verify(&self, token: &str, now: u64) -> Result<Session, Refused> {
        let token = UntrustedToken::new(token).map_err(|_| Refused::Malformed)?;
        let token = Hs256.validator::<Subject>(&self.key).validate(&token).map_err(|_| Refused::Forged)?;
        let claims = token.claims();
        let now = moment(now).ok_or(Refused::Expired)?;
        claims.validate_expiration(&clock(now)).map_err(|_| Refused::Expired)?;
        if claims.custom.iss != ISSUER {
            return Err(Refused::Forged);
        }
        let (Some(issued_at), Some(expires_at)) = (seconds(claims.issued_at), seconds(claims.expiration)) else {
            return Err(Refused::Malformed);
        };
        Ok(Session { user: claims.custom.sub.clone(), issued_at, expires_at })
    }
}

/// No leeway: the service that verifies is the one that issued.
fn clock(now: DateTime<Utc>) -> TimeOptions<impl Fn() -> DateTime<Utc>> {
    TimeOptions::new(TimeDelta::zero(), move || now)
}

fn moment(seconds: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}

fn seconds(moment: Option<DateTime<Utc>>) -> Option<u64> {
    u64::try_from(moment?.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64UrlUnpadded, Encoding};
    use jwt_compact::alg::{Hs384, Hs384Key, Hs512, Hs512Key};
    use proptest::prelude::*;

    use super::*;

    const KEY: &[u8] = b"a key of this test, thirty-two bytes";
    const NOW: u64 = 1_800_000_000;

    fn tokens() -> Tokens {
        Tokens::new(KEY)
    }

    fn token() -> String {
        tokens().issue("user", NOW).unwrap()
    }

    fn encoded(json: &str) -> String {
        Base64UrlUnpadded::encode_string(json.as_bytes())
    }

    #[test]
    fn a_token_says_who_and_until_when() {
        let expires_at = NOW + u64::from(LIFETIME_SECONDS);
        let session = Session { user: "user".into(), issued_at: NOW, expires_at };
        assert_eq!(tokens().verify(&token(), NOW), Ok(session.clone()));
        assert_eq!(tokens().verify(&token(), expires_at - 1), Ok(session));
    }

    #[test]
    fn the_header_is_the_one_of_rfc_7519() {
        let header = Base64UrlUnpadded::decode_vec(token().split('.').next().unwrap()).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header, serde_json::json!({ "alg": "HS256", "typ": "JWT" }));
    }

    #[test]
    fn a_token_is_good_for_its_time_only() {
        assert_eq!(tokens().verify(&token(), NOW + u64::from(LIFETIME_SECONDS) + 1), Err(Refused::Expired));
    }

    #[test]
    fn a_token_without_an_end_is_refused() {
        let claims = Claims::new(Subject { iss: ISSUER.into(), sub: "user".into() });
        let endless = Hs256.token(&Header::empty(), &claims, &Hs256Key::new(KEY)).unwrap();
        assert_eq!(tokens().verify(&endless, NOW), Err(Refused::Expired));
    }

    #[test]
    fn another_issuer_or_another_key_is_refused() {
        let claims = Claims::new(Subject { iss: "else".into(), sub: "user".into() })
            .set_duration_and_issuance(&clock(moment(NOW).unwrap()), TimeDelta::seconds(60));
        let foreign = Hs256.token(&Header::empty(), &claims, &Hs256Key::new(KEY)).unwrap();
        assert_eq!(tokens().verify(&foreign, NOW), Err(Refused::Forged));
        let other = Tokens::new(b"another key, thirty-two bytes long").issue("user", NOW).unwrap();
        assert_eq!(tokens().verify(&other, NOW), Err(Refused::Forged));
    }

    #[test]
    fn another_algorithm_is_refused_even_with_the_right_key() {
        let claims = Claims::new(Subject { iss: ISSUER.into(), sub: "user".into() })
            .set_duration_and_issuance(&clock(moment(NOW).unwrap()), TimeDelta::seconds(60));
        let hs384 = Hs384.token(&Header::empty(), &claims, &Hs384Key::new(KEY)).unwrap();
        let hs512 = Hs512.token(&Header::empty(), &claims, &Hs512Key::new(KEY)).unwrap();
        assert_eq!(tokens().verify(&hs384, NOW), Err(Refused::Forged));
        assert_eq!(tokens().verify(&hs512, NOW), Err(Refused::Forged));
    }

    #[test]
    fn an_unsigned_token_is_refused() {
        let issued = token();
        let parts: Vec<&str> = issued.split('.').collect();
        for none in ["none", "None", "NONE", "hs256"] {
            let header = encoded(&format!(r#"{{"alg":"{none}","typ":"JWT"}}"#));
            for signature in ["", parts[2]] {
                let unsigned = format!("{header}.{}.{signature}", parts[1]);
                assert_eq!(tokens().verify(&unsigned, NOW), Err(Refused::Forged), "{none}");
            }
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", ".", "..", "...", "a.b.c", "e30.e30.e30", "\u{e9}"] {
            assert!(tokens().verify(text, NOW).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_byte_of_a_token_can_be_changed(place in 0..200_usize, to in prop::char::range('!', '~')) {
            let mut changed: Vec<char> = token().chars().collect();
            let place = place % changed.len();
            prop_assume!(changed[place] != to);
            changed[place] = to;
            prop_assert!(tokens().verify(&changed.into_iter().collect::<String>(), NOW).is_err());
        }

        #[test]
        fn arbitrary_text_is_refused_without_a_panic(text in ".{0,200}") {
            prop_assert!(tokens().verify(&text, NOW).is_err());
        }
    }
}
