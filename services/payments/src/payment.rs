//! A payment: what was authorised, and every movement of money since, in one record.

use serde::{Deserialize, Serialize};
use service_kit::Money;

use crate::card::MaskedCard;
use crate::ledger::{self, Posting};

/// The most captures and refunds of one payment. Keeps the record small.
pub const MAX_OPERATIONS: usize = 100;

/// A payment as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// What a later request says to mean this one.
    pub id: String,
    /// Who is paid.
    pub merchant: String,
    /// How much may be captured at most.
    pub amount: Money,
    /// With which card.
    pub card: MaskedCard,
    /// When it was authorised, in seconds since 1970.
    pub created_at: u64,
    /// The keyed hash of the request that made it: a second request under the same key must be the same.
    pub fingerprint: String,
    /// On which page of the merchant's ledger it stands.
    pub page: u64,
    /// The captures and refunds, in the order in which they happened.
    pub operations: Vec<Operation>,
}

/// A movement of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its own name.
    pub id: String,
    /// The key under which it was asked for.
    pub idempotency_key: String,
    /// Which way the money went.
    pub kind: Kind,
    /// How much, in minor units of the payment's currency.
    pub minor: u64,
    /// When, in seconds since 1970.
    pub at: u64,
    /// Its entry in the ledger.
    pub postings: Vec<Posting>,
}

/// Which way money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// From the card to the merchant.
    Capture,
    /// Back.
    Refund,
}

/// How far a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing was captured yet.
    Authorised,
    /// Some was captured.
    PartlyCaptured,
    /// All was captured.
    Captured,
    /// Some of what was captured went back.
    PartlyRefunded,
    /// All that was captured went back.
    Refunded,
}

/// A capture or a refund that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The name it will have.
    pub id: &'a str,
    /// The key under which it is asked for.
    pub idempotency_key: &'a str,
    /// Which way the money shall go.
    pub kind: Kind,
    /// How much.
    pub amount: Money,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// Why no money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The key was used for something else.
    #[error("The idempotency key was used for another request on this payment.")]
    KeyReused,
    /// Not the payment's currency.
    #[error("The amount is not in the payment's currency.")]
    Currency,
    /// Nothing shall move.
    #[error("The amount must be at least 1 minor unit.")]
    Nothing,
    /// More than is there.
    #[error("The amount is more than the {0} minor units that are left of this payment.")]
    TooMuch(u64),
    /// Too many movements.
    #[error("The payment has had {MAX_OPERATIONS} captures and refunds, which is the most there can be.")]
    TooMany,
}

impl Payment {
    /// Moves money, or finds the operation that did so under the same key. Answers its place in `operations`, and
    /// whether it is new.
    pub fn apply(&mut self, request: Request<'_>) -> Result<(usize, bool), Refused> {
        let Request { id, idempotency_key, kind, amount, at } = request;
        let known = self.operations.iter().position(|operation| operation.idempotency_key == idempotency_key);
        if amount.currency != self.amount.currency {
            return Err(if known.is_some() { Refused::KeyReused } else { Refused::Currency });
        }
        if let Some(place) = known {
            let operation = &self.operations[place];
            let same = operation.kind == kind && operation.minor == amount.minor;
            return if same { Ok((place, false)) } else { Err(Refused::KeyReused) };
        }
        let left = match kind {
            Kind::Capture => self.amount.minor - self.captured(),
            Kind::Refund => self.captured() - self.refunded(),
        };
        if amount.minor == 0 {
            return Err(Refused::Nothing);
        }
        if amount.minor > left {
            return Err(Refused::TooMuch(left));
        }
        if self.operations.len() >= MAX_OPERATIONS {
            return Err(Refused::TooMany);
        }
        let postings = match kind {
            Kind::Capture => ledger::capture(amount.minor).ok_or(Refused::TooMuch(left))?,
            Kind::Refund => ledger::refund(amount.minor),
        };
        let (id, idempotency_key) = (id.to_owned(), idempotency_key.to_owned());
        self.operations.push(Operation { id, idempotency_key, kind, minor: amount.minor, at, postings });
        Ok((self.operations.len() - 1, true))
    }

    /// How much was captured, in minor units. At most what was authorised.
    pub fn captured(&self) -> u64 {
        self.sum(Kind::Capture)
    }

    /// How much went back, in minor units. At most what was captured.
    pub fn refunded(&self) -> u64 {
        self.sum(Kind::Refund)
    }

    /// How far the payment is.
    pub fn status(&self) -> Status {
        match (self.captured(), self.refunded()) {
            (0, _) => Status::Authorised,
            (captured, refunded) if captured == refunded => Status::Refunded,
            (_, 1..) => Status::PartlyRefunded,
            (captured, 0) if captured == self.amount.minor => Status::Captured,
            (_, 0) => Status::PartlyCaptured,
        }
    }

    fn sum(&self, kind: Kind) -> u64 {
        self.operations.iter().filter(|operation| operation.kind == kind).map(|operation| operation.minor).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use service_kit::Currency;

    use super::*;
    use crate::card::Brand;

    fn payment(minor: u64) -> Payment {
        Payment {
            id: "p".into(),
            merchant: "m".into(),
            amount: eur(minor),
            card: MaskedCard { brand: Brand::Visa, last4: "4242".into() },
            created_at: 0,
            fingerprint: String::new(),
            page: 0,
            operations: Vec::new(),
        }
    }

    fn eur(minor: u64) -> Money {
        Money { minor, currency: Currency::Eur }
    }

    fn request(key: &str, kind: Kind, minor: u64) -> Request<'_> {
        Request { id: "o", idempotency_key: key, kind, amount: eur(minor), at: 0 }
    }

    #[test]
    fn a_payment_goes_its_way() {
        let mut payment = payment(100);
        assert_eq!(payment.status(), Status::Authorised);
        for (key, kind, minor, status) in [
            ("1", Kind::Capture, 40, Status::PartlyCaptured),
            ("2", Kind::Refund, 10, Status::PartlyRefunded),
            ("3", Kind::Refund, 30, Status::Refunded),
            ("4", Kind::Capture, 60, Status::PartlyRefunded),
            ("5", Kind::Refund, 60, Status::Refunded),
        ] {
            payment.apply(request(key, kind, minor)).unwrap();
            assert_eq!(payment.status(), status);
        }
    }

    #[test]
    fn all_at_once_is_captured() {
        let mut payment = payment(100);
        assert_eq!(payment.apply(request("1", Kind::Capture, 100)), Ok((0, true)));
        assert_eq!(payment.status(), Status::Captured);
    }

    #[test]
    fn no_more_moves_than_there_is() {
        let mut payment = payment(100);
        assert_eq!(payment.apply(request("1", Kind::Refund, 1)), Err(Refused::TooMuch(0)));
        assert_eq!(payment.apply(request("1", Kind::Capture, 101)), Err(Refused::TooMuch(100)));
        assert_eq!(payment.apply(request("1", Kind::Capture, 0)), Err(Refused::Nothing));
        payment.apply(request("1", Kind::Capture, 60)).unwrap();
        assert_eq!(payment.apply(request("2", Kind::Refund, 61)), Err(Refused::TooMuch(60)));
        let yen = Money { minor: 1, currency: Currency::Jpy };
        assert_eq!(payment.apply(Request { amount: yen, ..request("2", Kind::Refund, 1) }), Err(Refused::Currency));
        assert_eq!(payment.operations.len(), 1);
    }

    #[test]
    fn a_key_means_one_operation() {
        let mut payment = payment(100);
        assert_eq!(payment.apply(request("1", Kind::Capture, 50)), Ok((0, true)));
        assert_eq!(payment.apply(request("1", Kind::Capture, 50)), Ok((0, false)));
        assert_eq!(payment.apply(request("1", Kind::Capture, 49)), Err(Refused::KeyReused));
        assert_eq!(payment.apply(request("1", Kind::Refund, 50)), Err(Refused::KeyReused));
        let yen = Money { minor: 50, currency: Currency::Jpy };
        assert_eq!(payment.apply(Request { amount: yen, ..request("1", Kind::Capture, 50) }), Err(Refused::KeyReused));
        assert_eq!(payment.captured(), 50);
    }

    #[test]
    fn there_is_an_end_to_operations() {
        let mut payment = payment(1000);
        for number in 0..MAX_OPERATIONS {
            payment.apply(request(&number.to_string(), Kind::Capture, 1)).unwrap();
        }
        assert_eq!(payment.apply(request("last", Kind::Capture, 1)), Err(Refused::TooMany));
    }

    fn any_request() -> impl Strategy<Value = (u8, Kind, u64)> {
        (0..30_u8, prop_oneof![Just(Kind::Capture), Just(Kind::Refund)], 0..60_u64)
    }

    proptest! {
        #[test]
        fn whatever_is_asked_no_bound_breaks_and_the_books_balance(
            authorised in 1..200_u64,
            requests in proptest::collection::vec(any_request(), 0..60),
        ) {
            let mut payment = payment(authorised);
            for (key, kind, minor) in requests {
                let before = payment.clone();
                match payment.apply(request(&key.to_string(), kind, minor)) {
                    Ok((_, true)) => prop_assert_eq!(payment.operations.len(), before.operations.len() + 1),
                    Ok((_, false)) | Err(_) => prop_assert_eq!(&payment, &before),
                }
                prop_assert!(payment.refunded() <= payment.captured() && payment.captured() <= authorised);
                let postings = payment.operations.iter().flat_map(|operation| &operation.postings);
                let accounts = ledger::balances(postings).unwrap();
                prop_assert!(ledger::is_balanced(&accounts));
                let scheme = accounts.get(&ledger::Account::SchemeReceivable).copied().unwrap_or_default();
                prop_assert_eq!(scheme.debit - scheme.credit, payment.captured() - payment.refunded());
            }
        }
    }
}
