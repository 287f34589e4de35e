//! Where labels have room.

use std::iter;

/// A rectangle; y grows downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

/// A place.
pub(super) type Spot = (f64, f64);

impl Area {
    pub(super) const fn new(left: f64, top: f64, width: f64, height: f64) -> Self {
        Self { left, top, width, height }
    }

    pub(super) fn right(&self) -> f64 {
        self.left + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Whether the two share more than an edge.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right() && other.left < self.right() && self.top < other.bottom() && other.top < self.bottom()
    }

    /// Whether all of the other lies in this one.
    pub(super) fn holds(&self, other: &Self) -> bool {
        self.left <= other.left
            && self.top <= other.top
            && self.right() >= other.right()
            && self.bottom() >= other.bottom()
    }

    /// Whether a straight line between two places touches the area: the part of the line that lies between the left and
    /// the right edge, then between the upper and the lower one, must not be empty (Liang and Barsky 1984).
    pub(super) fn touches(&self, from: Spot, to: Spot) -> bool {
        let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        for (start, step, low, high) in [(from.0, dx, self.left, self.right()), (from.1, dy, self.top, self.bottom())] {
            if step == 0.0 {
                if start < low || start > high {
                    return false;
                }
                continue;
            }
            let (one, other) = ((low - start) / step, (high - start) / step);
            enters = enters.max(one.min(other));
            leaves = leaves.min(one.max(other));
        }
        enters <= leaves
    }
}

/// Moves labels in a column apart: each as near to where it wants to be as its neighbours let it (least squares), in the
/// order of the wishes. `height` is that of a label, and all lie between `low` and `high`; where these are too close for
/// all of them, the labels come closer too. Wishes and answers are middles.
pub(super) fn apart(wishes: &[f64], height: f64, low: f64, high: f64) -> Vec<f64> {
    let count = wishes.len() as f64;
    let height = height.min((high - low).max(0.0) / count.max(1.0));
    let wish = |index: usize| if wishes[index].is_finite() { wishes[index] } else { low };
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    order.sort_by(|&one, &other| wish(one).total_cmp(&wish(other)));
    // With the heights of the labels before each taken off, all that is asked is that none comes before its predecessor:
    // isotonic regression, solved by pooling neighbours that are out of order. A pool is a sum and a number.
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (place, &index) in order.iter().enumerate() {
        pools.push((wish(index) - place as f64 * height, 1));
        while let [.., before, last] = pools[..]
            && before.0 / before.1 as f64 > last.0 / last.1 as f64
        {
            pools.truncate(pools.len() - 2);
            pools.push((before.0 + last.0, before.1 + last.1));
        }
    }
    let first = low + height / 2.0;
    let last = (high + height / 2.0 - count * height).max(first);
    let starts = pools.iter().flat_map(|&(sum, number)| iter::repeat_n(sum / number as f64, number));
    let mut places = vec![0.0; wishes.len()];
    for (place, (index, start)) in order.into_iter().zip(starts).enumerate() {
        places[index] = start.clamp(first, last) + place as f64 * height;
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_with_room_stay_where_they_want_to_be() {
        assert_eq!(apart(&[50.0, 10.0, 90.0], 15.0, 0.0, 100.0), [50.0, 10.0, 90.0]);
        assert_eq!(apart(&[50.0, 50.0], 20.0, 0.0, 100.0), [40.0, 60.0]);
        assert_eq!(apart(&[0.0, 100.0, f64::NAN], 20.0, 0.0, 100.0), [10.0, 90.0, 30.0]);
        assert_eq!(apart(&[], 20.0, 0.0, 100.0), [0.0; 0]);
    }

    #[test]
    fn lines_that_touch_are_found() {
        let area = Area::new(10.0, 10.0, 10.0, 10.0);
        assert!(area.touches((0.0, 0.0), (30.0, 30.0)));
        assert!(area.touches((15.0, 15.0), (16.0, 16.0)));
        assert!(area.touches((0.0, 15.0), (30.0, 15.0)));
        assert!(!area.touches((0.0, 15.0), (9.0, 15.0)));
        assert!(!area.touches((0.0, 25.0), (30.0, 25.0)));
        assert!(!area.touches((0.0, 15.0), (15.0, 30.0)));
    }

    proptest! {
        #[test]
        fn labels_never_overlap(wishes in prop::collection::vec(-50.0..550.0_f64, 0..33)) {
            let places = apart(&wishes, 15.0, 0.0, 500.0);
            let mut sorted = places.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] > 15.0 - 1e-9));
            prop_assert!(sorted.iter().all(|place| (7.5 - 1e-9..=492.5 + 1e-9).contains(place)));
            for (one, here) in wishes.iter().zip(&places) {
                for (other, there) in wishes.iter().zip(&places) {
                    prop_assert!(one >= other || here < there, "the order is kept");
                }
            }
        }

        #[test]
        fn labels_without_enough_room_share_what_there_is(wishes in prop::collection::vec(0.0..100.0_f64, 1..50)) {
            let places = apart(&wishes, 15.0, 0.0, 100.0);
            prop_assert!(places.iter().all(|place| (0.0..=100.0).contains(place)));
        }
    }
}
