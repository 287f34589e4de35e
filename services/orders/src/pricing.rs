//! What an order costs: exact, in minor units, and refused rather than wrong when it does not fit.

use serde::{Deserialize, Serialize};
use service_kit::{MAX_AMOUNT, portion};

/// The most lines of an order.
pub const MAX_LINES: usize = 50;

/// The most pieces of one line.
pub const MAX_QUANTITY: u32 = 9_999;

/// The highest tax rate, in hundredths of a percent.
pub const MAX_TAX: u32 = 10_000;

/// A line of an order: so many pieces of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The code of the thing.
    pub sku: String,
    /// How many pieces.
    pub quantity: u32,
    /// The price of a piece without tax, in minor units.
    pub unit_price: u64,
    /// The tax on the line, in hundredths of a percent: 1900 is 19 %.
    #[serde(default)]
    pub tax_basis_points: u32,
}

/// What the lines come to, in minor units of the order's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Without tax.
    pub net: u64,
    /// The tax, rounded line by line, half to even.
    pub tax: u64,
    /// Both.
    pub gross: u64,
}

/// What is wrong with the lines of an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Nothing is ordered, or too much at once.
    #[error("An order has 1 to {MAX_LINES} lines.")]
    Lines,
    /// A line with an impossible code. Holds its place, from 1.
    #[error("Line {0}: a sku has 1 to 32 characters, each a letter, a digit, '-', '_' or '.'.")]
    Sku(usize),
    /// A line of nothing, or of too much.
    #[error("Line {0}: the quantity is 1 to {MAX_QUANTITY}.")]
    Quantity(usize),
    /// A tax of more than the whole price.
    #[error("Line {0}: the tax is 0 to {MAX_TAX} hundredths of a percent.")]
    Tax(usize),
    /// Two lines of the same thing. Holds the place of the second.
    #[error("Line {0}: the sku has a line already.")]
    Repeated(usize),
    /// The sum is too great to be told exactly.
    #[error("The order comes to more than {MAX_AMOUNT} minor units.")]
    TooMuch,
}

/// Checks the lines of an order and sums them up.
pub fn totals(lines: &[Line]) -> Result<Totals, Invalid> {
    if !(1..=MAX_LINES).contains(&lines.len()) {
        return Err(Invalid::Lines);
    }
    let mut totals = Totals::default();
    for (index, line) in lines.iter().enumerate() {
        check(line, index + 1)?;
        if lines[..index].iter().any(|earlier| earlier.sku == line.sku) {
            return Err(Invalid::Repeated(index + 1));
        }
        totals = totals.plus(line).ok_or(Invalid::TooMuch)?;
    }
    Ok(totals)
}

fn check(line: &Line, place: usize) -> Result<(), Invalid> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !(1..=32).contains(&line.sku.len()) || !line.sku.bytes().all(legal) {
        return Err(Invalid::Sku(place));
    }
    if !(1..=MAX_QUANTITY).contains(&line.quantity) {
        return Err(Invalid::Quantity(place));
    }
    if line.tax_basis_points > MAX_TAX {
        return Err(Invalid::Tax(place));
    }
    Ok(())
}

impl Totals {
    /// `None` when the sum is beyond the greatest amount.
    fn plus(self, line: &Line) -> Option<Self> {
        let price = line.unit_price.checked_mul(line.quantity.into())?;
        let net = self.net.checked_add(price)?;
        let tax = self.tax.checked_add(portion(price, line.tax_basis_points)?)?;
        let gross = net.checked_add(tax).filter(|&gross| gross <= MAX_AMOUNT)?;
        Some(Self { net, tax, gross })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn line(sku: &str, quantity: u32, unit_price: u64, tax_basis_points: u32) -> Line {
        Line { sku: sku.into(), quantity, unit_price, tax_basis_points }
    }

    #[test]
    fn a_receipt_adds_up() {
        // 3 x 19.99 at 19 %: 11.3943, so 11.39. 1 x 0.50 at 7 %: 0.035, half, so the even 0.04.
        let lines = [line("tea", 3, 1999, 1900), line("pin", 1, 50, 700)];
        assert_eq!(totals(&lines), Ok(Totals { net: 6047, tax: 1143, gross: 7190 }));
    }

    #[test]
    fn each_bound_is_kept() {
        let too_many: Vec<Line> = (0..51).map(|number| line(&number.to_string(), 1, 1, 0)).collect();
        for (lines, expected) in [
            (vec![], Invalid::Lines),
            (too_many, Invalid::Lines),
            (vec![line("", 1, 1, 0)], Invalid::Sku(1)),
            (vec![line("a b", 1, 1, 0)], Invalid::Sku(1)),
            (vec![line(&"a".repeat(33), 1, 1, 0)], Invalid::Sku(1)),
            (vec![line("a", 1, 1, 0), line("b", 0, 1, 0)], Invalid::Quantity(2)),
            (vec![line("a", 10_000, 1, 0)], Invalid::Quantity(1)),
            (vec![line("a", 1, 1, 10_001)], Invalid::Tax(1)),
            (vec![line("a", 1, 1, 0), line("a", 1, 1, 0)], Invalid::Repeated(2)),
            (vec![line("a", 2, u64::MAX, 0)], Invalid::TooMuch),
            (vec![line("a", 1, MAX_AMOUNT + 1, 0)], Invalid::TooMuch),
            (vec![line("a", 1, MAX_AMOUNT, 0), line("b", 1, 1, 0)], Invalid::TooMuch),
            (vec![line("a", 1, MAX_AMOUNT, 1)], Invalid::TooMuch),
        ] {
            assert_eq!(totals(&lines), Err(expected), "{lines:?}");
        }
    }

    #[test]
    fn the_greatest_order_is_exact() {
        assert_eq!(totals(&[line("a", 1, MAX_AMOUNT, 0)]).unwrap().gross, MAX_AMOUNT);
    }

    fn any_lines() -> impl Strategy<Value = Vec<Line>> {
        vec((0..=MAX_QUANTITY + 1, prop_oneof![0..100_000_u64, any::<u64>()], 0..=MAX_TAX), 1..8).prop_map(|lines| {
            let numbered = lines.into_iter().enumerate();
            numbered.map(|(number, (quantity, price, tax))| line(&format!("s{number}"), quantity, price, tax)).collect()
        })
    }

    proptest! {
        #[test]
        fn totals_are_those_of_wide_arithmetic_or_refused(lines in any_lines()) {
            let net: u128 = lines.iter().map(|line| u128::from(line.quantity) * u128::from(line.unit_price)).sum();
            match totals(&lines) {
                Ok(totals) => {
                    prop_assert_eq!(u128::from(totals.net), net);
                    prop_assert_eq!(totals.net + totals.tax, totals.gross);
                    prop_assert!(totals.tax <= totals.net);
                }
                Err(Invalid::TooMuch) => prop_assert!(net * 2 > u128::from(MAX_AMOUNT)),
                Err(Invalid::Quantity(place)) => {
                    prop_assert!(!(1..=MAX_QUANTITY).contains(&lines[place - 1].quantity));
                }
                Err(other) => prop_assert!(false, "{}", other),
            }
        }

        #[test]
        fn the_order_of_the_lines_does_not_matter(lines in any_lines()) {
            let reversed: Vec<Line> = lines.iter().rev().cloned().collect();
            prop_assert_eq!(totals(&lines).ok(), totals(&reversed).ok());
        }
    }
}
