//! The path that an order takes.

use serde::{Deserialize, Serialize};

/// Where an order is on its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its lines can still be changed.
    Draft,
    /// The customer has committed to it.
    Placed,
    /// The money is there.
    Paid,
    /// It is on its way.
    Shipped,
    /// It arrived.
    Delivered,
    /// It came back.
    Returned,
    /// It will not be done.
    Cancelled,
}

impl State {
    /// Where an order can go from here. What was shipped can come back, but not be cancelled any more.
    pub fn next(self) -> &'static [State] {
        match self {
            Self::Draft => &[Self::Placed, Self::Cancelled],
            Self::Placed => &[Self::Paid, Self::Cancelled],
            Self::Paid => &[Self::Shipped, Self::Cancelled],
            Self::Shipped => &[Self::Delivered, Self::Returned],
            Self::Delivered => &[Self::Returned],
            Self::Returned | Self::Cancelled => &[],
        }
    }

    /// The name of the state, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const ALL: [State; 7] =
        [State::Draft, State::Placed, State::Paid, State::Shipped, State::Delivered, State::Returned, State::Cancelled];

    #[test]
    fn the_name_is_the_one_of_the_json() {
        for state in ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }

    proptest! {
        #[test]
        fn every_path_ends_and_comes_to_no_state_twice(choices in proptest::collection::vec(any::<usize>(), 10)) {
            let (mut state, mut seen) = (State::Draft, vec![State::Draft]);
            for choice in choices {
                let Some(&next) = state.next().get(choice % state.next().len().max(1)) else { break };
                prop_assert!(!seen.contains(&next));
                seen.push(next);
                state = next;
            }
            prop_assert!(state.next().is_empty());
        }

        #[test]
        fn nothing_is_shipped_that_was_not_paid(from in select(&ALL[..])) {
            prop_assert_eq!(from.next().contains(&State::Shipped), from == State::Paid);
        }
    }
}
