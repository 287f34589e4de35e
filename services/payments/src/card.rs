//! Payment cards. A number lives as long as the request that brings it: it is checked, masked, and gone.

use serde::{Deserialize, Serialize};

/// A card as a caller sent it. Has no way to be shown or kept; only [`MaskedCard`] has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    number: String,
    exp_month: u32,
    exp_year: u32,
}

/// What may be kept and answered of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskedCard {
    /// The scheme it belongs to.
    pub brand: Brand,
    /// The last four digits of the number.
    pub last4: String,
}

/// A card scheme, told from the first digits of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Brand {
    /// American Express.
    Amex,
    /// Mastercard.
    Mastercard,
    /// Visa.
    Visa,
    /// Any other scheme.
    Other,
}

/// A month of the Gregorian calendar, in UTC. Ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct YearMonth {
    year: u32,
    month: u32,
}

/// What is wrong with a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not a number that a card can have.
    #[error("The card's number is not valid.")]
    Number,
    /// Not a month of the calendar.
    #[error("The card's expiry is not a month of a year of four digits.")]
    Expiry,
}

impl Card {
    /// Checks what does not depend on the time: the form of the number, its check digit, the form of the expiry.
    pub fn check(&self) -> Result<MaskedCard, Invalid> {
        // 12 to 19 digits are the lengths of ISO/IEC 7812 that schemes use.
        let digits = (12..=19).contains(&self.number.len()) && self.number.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !luhn(self.number.as_bytes()) {
            return Err(Invalid::Number);
        }
        if !(1..=12).contains(&self.exp_month) || !(1000..=9999).contains(&self.exp_year) {
            return Err(Invalid::Expiry);
        }
        let last4 = self.number[self.number.len() - 4..].to_owned();
        Ok(MaskedCard { brand: brand(&self.number), last4 })
    }

    /// Whether the card has expired: it is good until the end of its month.
    pub fn is_expired(&self, now: YearMonth) -> bool {
        YearMonth { year: self.exp_year, month: self.exp_month } < now
    }

    /// The card as it goes into a keyed hash.
    pub fn to_hash(&self) -> [Vec<u8>; 3] {
        [
            self.number.clone().into_bytes(),
            self.exp_month.to_string().into_bytes(),
            self.exp_year.to_string().into_bytes(),
        ]
    }
}

/// The check digit of ISO/IEC 7812-1, annex B: from the right, every second digit doubled and its digits added.
fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let weighed = digits.iter().rev().enumerate().map(|(place, byte)| {
        let digit = u32::from(byte - b'0');
        if place % 2 == 1 { doubled(digit) } else { digit }
    });
    weighed.sum::<u32>().is_multiple_of(10)
}

fn brand(number: &str) -> Brand {
    // Four digits tell the schemes apart, and every checked number has them.
    let prefix: u32 = number[..4].parse().unwrap_or(0);
    match (prefix, number.len()) {
        (3400..=3499 | 3700..=3799, 15) => Brand::Amex,
        (2221..=2720 | 5100..=5599, 16) => Brand::Mastercard,
        (4000..=4999, 13 | 16 | 19) => Brand::Visa,
        _ => Brand::Other,
    }
}

impl YearMonth {
    /// The month in which a moment lies, given as seconds since 1970.
    pub fn of(unix_seconds: u64) -> Self {
        let mut days = unix_seconds / 86_400;
        let mut year = 1970;
        while days >= days_of(year) {
            days -= days_of(year);
            year += 1;
        }
        let february = days_of(year) - 337;
        let mut month = 1;
        for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
            if days < length {
                break;
            }
            days -= length;
            month += 1;
        }
        Self { year, month }
    }
}

fn days_of(year: u32) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    if leap { 366 } else { 365 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn card(number: &str) -> Card {
        Card { number: number.into(), exp_month: 12, exp_year: 2030 }
    }

    #[test]
    fn the_schemes_test_numbers_are_good() {
        for (number, brand, last4) in [
            ("4242424242424242", Brand::Visa, "4242"),
            ("4222222222222", Brand::Visa, "2222"),
            ("5555555555554444", Brand::Mastercard, "4444"),
            ("2223003122003222", Brand::Mastercard, "3222"),
            ("378282246310005", Brand::Amex, "0005"),
            ("6011111111111117", Brand::Other, "1117"),
        ] {
            assert_eq!(card(number).check(), Ok(MaskedCard { brand, last4: last4.into() }));
        }
    }

    #[test]
    fn what_is_no_card_number_is_refused() {
        for number in
            ["", "0", "4242424242424241", "42424242424", "4242 4242 4242 4242", "42424242424242424242", "٤٢٤٢٤٢"]
        {
            assert_eq!(card(number).check(), Err(Invalid::Number), "{number}");
        }
    }

    #[test]
    fn the_expiry_is_a_month() {
        for (exp_month, exp_year) in [(0, 2030), (13, 2030), (1, 30), (1, 10_000)] {
            let card = Card { number: "4242424242424242".into(), exp_month, exp_year };
            assert_eq!(card.check(), Err(Invalid::Expiry));
        }
    }

    #[test]
    fn a_card_is_good_to_the_end_of_its_month() {
        let card = Card { number: String::new(), exp_month: 12, exp_year: 2025 };
        assert!(!card.is_expired(YearMonth::of(1_767_225_599)));
        assert!(card.is_expired(YearMonth::of(1_767_225_600)));
    }

    #[test]
    fn months_begin_and_end_where_the_calendar_says() {
        // Seconds from `date -u -d 2000-03-01 +%s` and the like.
        for (seconds, year, month) in [
            (0, 1970, 1),
            (951_868_799, 2000, 2),
            (951_868_800, 2000, 3),
            (1_767_225_599, 2025, 12),
            (1_767_225_600, 2026, 1),
            (4_107_542_399, 2100, 2),
            (4_107_542_400, 2100, 3),
        ] {
            assert_eq!(YearMonth::of(seconds), YearMonth { year, month }, "{seconds}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_noticed(number in "[0-9]{11,18}", place in 0..11_usize, by in 1..10_u8) {
            let check = (0..10).map(|check| format!("{number}{check}")).find(|number| luhn(number.as_bytes())).unwrap();
            let mut wrong = check.into_bytes();
            wrong[place] = b'0' + (wrong[place] - b'0' + by) % 10;
            prop_assert!(!luhn(&wrong));
        }
    }
}
