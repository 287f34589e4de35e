//! Amounts of money, exact: a whole number of the currency's smallest unit.

use serde::{Deserialize, Serialize};

/// The greatest amount, in minor units: the greatest integer that every JSON reader takes exactly (RFC 8259, section 6).
pub const MAX_AMOUNT: u64 = (1 << 53) - 1;

/// A currency of ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Swiss franc.
    Chf,
    /// Euro.
    Eur,
    /// Pound sterling.
    Gbp,
    /// Yen, which has no smaller unit.
    Jpy,
    /// Kuwaiti dinar, of a thousand fils.
    Kwd,
    /// US dollar.
    Usd,
}

impl Currency {
    /// Every currency that the services know.
    pub const ALL: [Self; 6] = [Self::Chf, Self::Eur, Self::Gbp, Self::Jpy, Self::Kwd, Self::Usd];

    /// Its code, as in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Chf => "CHF",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Jpy => "JPY",
            Self::Kwd => "KWD",
            Self::Usd => "USD",
        }
    }
}

/// An amount in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// How much, in the currency's minor unit.
    pub minor: u64,
    /// Of what.
    pub currency: Currency,
}

/// A portion of an amount in hundredths of a percent, rounded half to even, which favours neither side over many
/// amounts. `None` when the result is beyond [`MAX_AMOUNT`].
pub fn portion(minor: u64, basis_points: u32) -> Option<u64> {
    const WHOLE: u128 = 10_000;
    let product = u128::from(minor) * u128::from(basis_points);
    let (floor, rest) = (product / WHOLE, product % WHOLE);
    let up = rest * 2 > WHOLE || (rest * 2 == WHOLE && floor % 2 == 1);
    u64::try_from(floor + u128::from(up)).ok().filter(|&portion| portion <= MAX_AMOUNT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_go_to_the_even_side() {
        for (minor, basis_points, expected) in [
            (50, 100, 0),
            (150, 100, 2),
            (250, 100, 2),
            (251, 100, 3),
            (249, 100, 2),
            (1999, 1900, 380),
            (7, 10_000, 7),
        ] {
            assert_eq!(portion(minor, basis_points), Some(expected), "{minor} x {basis_points}");
        }
    }

    #[test]
    fn what_is_too_great_has_no_portion() {
        assert_eq!(portion(MAX_AMOUNT, 10_000), Some(MAX_AMOUNT));
        assert_eq!(portion(MAX_AMOUNT + 1, 10_000), None);
        assert_eq!(portion(u64::MAX, u32::MAX), None);
    }

    #[test]
    fn a_currency_is_written_by_its_code() {
        for currency in Currency::ALL {
            let text = format!(r#"{{"minor":{MAX_AMOUNT},"currency":"{}"}}"#, currency.code());
            let money: Money = serde_json::from_str(&text).unwrap();
            assert_eq!(money, Money { minor: MAX_AMOUNT, currency });
            assert_eq!(serde_json::to_string(&money).unwrap(), text);
        }
    }

    proptest! {
        #[test]
        fn a_portion_is_off_by_at_most_half_a_unit(minor in 0..=MAX_AMOUNT, basis_points in 0..=10_000u32) {
            let exact = i128::from(minor) * i128::from(basis_points);
            let rounded = i128::from(portion(minor, basis_points).unwrap()) * 10_000;
            prop_assert!((exact - rounded).abs() <= 5_000);
        }
    }
}
