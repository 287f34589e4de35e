//! Double-entry book-keeping: money moves from account to account, and every entry balances.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use service_kit::portion;

/// What the service keeps of each capture, in hundredths of a percent. Refunds do not give it back.
pub const FEE_BASIS_POINTS: u32 = 150;

/// An account of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// What the card schemes owe the service.
    SchemeReceivable,
    /// What the service owes the merchant.
    MerchantPayable,
    /// What the service has earned.
    FeeRevenue,
}

/// One line of an entry, in minor units of the payment's currency. Either `debit` or `credit` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Where it is written.
    pub account: Account,
    /// What goes in on the left.
    pub debit: u64,
    /// What goes in on the right.
    pub credit: u64,
}

/// What was written to an account: sums of the two sides, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sides {
    /// The sum of the left.
    pub debit: u64,
    /// The sum of the right.
    pub credit: u64,
}

fn debit(account: Account, minor: u64) -> Posting {
    Posting { account, debit: minor, credit: 0 }
}

fn credit(account: Account, minor: u64) -> Posting {
    Posting { account, debit: 0, credit: minor }
}

/// The entry of a capture: the schemes owe it all, the merchant is owed it less the fee. `None` when the amount is
/// beyond the greatest.
pub fn capture(minor: u64) -> Option<Vec<Posting>> {
    let fee = portion(minor, FEE_BASIS_POINTS)?;
    Some(vec![
        debit(Account::SchemeReceivable, minor),
        credit(Account::MerchantPayable, minor - fee),
        credit(Account::FeeRevenue, fee),
    ])
}

/// The entry of a refund: the merchant bears it, and the schemes owe that much less.
pub fn refund(minor: u64) -> Vec<Posting> {
    vec![debit(Account::MerchantPayable, minor), credit(Account::SchemeReceivable, minor)]
}

/// The trial balance of some postings: the two sides of each account. `None` when a sum does not fit.
pub fn balances<'a>(postings: impl IntoIterator<Item = &'a Posting>) -> Option<BTreeMap<Account, Sides>> {
    let mut accounts: BTreeMap<Account, Sides> = BTreeMap::new();
    for posting in postings {
        let sides = accounts.entry(posting.account).or_default();
        sides.debit = sides.debit.checked_add(posting.debit)?;
        sides.credit = sides.credit.checked_add(posting.credit)?;
    }
    Some(accounts)
}

/// Whether as much was written to the left as to the right.
pub fn is_balanced(accounts: &BTreeMap<Account, Sides>) -> bool {
    let sum = |side: fn(&Sides) -> u64| accounts.values().map(|sides| u128::from(side(sides))).sum::<u128>();
    sum(|sides| sides.debit) == sum(|sides| sides.credit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use service_kit::MAX_AMOUNT;

    use super::*;

    #[test]
    fn a_capture_is_split_into_the_merchants_part_and_the_fee() {
        let entry = capture(10_000).unwrap();
        assert_eq!(
            entry,
            [
                debit(Account::SchemeReceivable, 10_000),
                credit(Account::MerchantPayable, 9_850),
                credit(Account::FeeRevenue, 150),
            ]
        );
    }

    #[test]
    fn an_amount_beyond_the_greatest_has_no_entry() {
        assert_eq!(capture(u64::MAX), None);
    }

    #[test]
    fn what_does_not_balance_is_noticed() {
        let accounts = balances(&[debit(Account::SchemeReceivable, 2), credit(Account::MerchantPayable, 1)]).unwrap();
        assert!(!is_balanced(&accounts));
        assert_eq!(balances(&[debit(Account::FeeRevenue, u64::MAX), debit(Account::FeeRevenue, 1)]), None);
    }

    proptest! {
        #[test]
        fn every_entry_balances(minor in 1..=MAX_AMOUNT) {
            for entry in [capture(minor).unwrap(), refund(minor)] {
                prop_assert!(is_balanced(&balances(&entry).unwrap()));
                prop_assert!(entry.iter().all(|posting| posting.debit == 0 || posting.credit == 0));
            }
        }
    }
}
