//! How much a merchant takes per payment, and in which currencies.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use service_kit::{Currency, Json, MAX_AMOUNT, Money, Problem, Segment, Store};

use crate::{Service, checked_merchant};

/// What a merchant without limits of its own takes: up to this many minor units, in every currency.
const DEFAULT: u64 = 1_000_000;

/// The limits of a merchant, in minor units. A currency that is not among them is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    per_payment: BTreeMap<Currency, u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_payment: Currency::ALL.into_iter().map(|currency| (currency, DEFAULT)).collect() }
    }
}

impl Limits {
    /// The limits of a merchant: its own, or else the default ones.
    pub async fn of<S: Store>(store: &S, merchant: &str) -> Result<Self, Problem> {
        Ok(store.read(&key(merchant)).await?.unwrap_or_default())
    }

    /// Refuses what is beyond the limits.
    pub fn check(&self, amount: Money) -> Result<(), Problem> {
        match self.per_payment.get(&amount.currency) {
            None => Err(Problem::invalid("currency-not-taken", "The merchant does not take this currency.")),
            Some(&limit) if amount.minor > limit => Err(Problem::invalid(
                "limit-exceeded",
                format!("The merchant takes at most {limit} minor units of this currency in one payment."),
            )),
            Some(_) => Ok(()),
        }
    }
}

/// `GET /merchants/{merchant}/limits`.
pub async fn read<S: Store>(
    State(service): State<Service<S>>,
    Segment(merchant): Segment,
) -> Result<Json<Limits>, Problem> {
    Limits::of(&service.store, &checked_merchant(merchant)?).await.map(Json)
}

/// `PUT /merchants/{merchant}/limits`.
pub async fn replace<S: Store>(
    State(service): State<Service<S>>,
    Segment(merchant): Segment,
    Json(limits): Json<Limits>,
) -> Result<Json<Limits>, Problem> {
    let merchant = checked_merchant(merchant)?;
    if limits.per_payment.values().any(|&limit| limit > MAX_AMOUNT) {
        return Err(Problem::invalid("invalid-limits", format!("A limit is at most {MAX_AMOUNT} minor units.")));
    }
    service.store.write(&key(&merchant), &limits).await?;
    Ok(Json(limits))
}

fn key(merchant: &str) -> String {
    format!("payments/limits/{merchant}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(limits: &Limits, minor: u64, currency: Currency) -> Option<&'static str> {
        limits.check(Money { minor, currency }).err().and_then(|problem| problem.kind())
    }

    #[test]
    fn the_default_takes_every_currency_up_to_a_bound() {
        for currency in Currency::ALL {
            assert_eq!(kind(&Limits::default(), DEFAULT, currency), None);
            assert_eq!(kind(&Limits::default(), DEFAULT + 1, currency), Some("limit-exceeded"));
        }
    }

    #[test]
    fn own_limits_name_all_that_is_taken() {
        let limits = Limits { per_payment: BTreeMap::from([(Currency::Eur, 5)]) };
        assert_eq!(kind(&limits, 5, Currency::Eur), None);
        assert_eq!(kind(&limits, 6, Currency::Eur), Some("limit-exceeded"));
        assert_eq!(kind(&limits, 1, Currency::Usd), Some("currency-not-taken"));
    }
}
