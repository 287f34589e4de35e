//! Which request comes when: a sequence that depends on the seed alone.

use crate::Request;

/// Requests and how often each is drawn.
#[derive(Debug, Clone)]
pub struct Mix {
    requests: Vec<Request>,
    /// Running sums of the weights; the last one is the total.
    sums: Vec<u64>,
}

/// A mix from which nothing can be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mix of requests is empty: give at least one request a weight above zero")]
pub struct EmptyMix;

/// What is drawn for one place of the sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// The place of the request in the mix.
    pub request: usize,
    /// The unique value of the request. No two places of a sequence have the same.
    pub unique: u64,
}

impl Mix {
    /// A mix of requests with their weights. Requests of weight zero are never drawn.
    ///
    /// # Errors
    /// [`EmptyMix`] if no weight is above zero.
    pub fn new(requests: impl IntoIterator<Item = (Request, u32)>) -> Result<Self, EmptyMix> {
        let mut mix = Self { requests: Vec::new(), sums: Vec::new() };
        let mut total = 0;
        for (request, weight) in requests {
            total += u64::from(weight);
            mix.requests.push(request);
            mix.sums.push(total);
        }
        if total == 0 { Err(EmptyMix) } else { Ok(mix) }
    }

    /// The requests in the order in which they were given.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// The mix with every request changed by `change`, at the same weights.
    #[must_use]
    pub fn map(self, change: impl FnMut(Request) -> Request) -> Self {
        Self { requests: self.requests.into_iter().map(change).collect(), sums: self.sums }
    }

    /// What stands at place `k` of the sequence of `seed`.
    ///
    /// The sequence is dealt in hands of as many requests as the weights add up to, each request in a hand exactly as
    /// often as its weight. So a short load holds its share of rare and expensive requests: drawn one by one, a request
    /// of one per cent would make up half or double that of a load of a few hundred, by chance alone.
    ///
    /// Every place is found by itself, from its number, so the sequence is the same whatever the speed of the subject and
    /// however many threads share it.
    pub fn draw(&self, seed: u64, k: u64) -> Draw {
        let total = self.sums.last().copied().unwrap_or(1);
        let point = shuffle(k % total, mix64(mix64(seed ^ HAND) ^ (k / total)), total);
        Draw { request: self.sums.partition_point(|&sum| sum <= point), unique: unique(seed, k) }
    }
}

/// The unique value at a place of the sequence of `seed`. `mix64` is a bijection: different places have different values.
fn unique(seed: u64, k: u64) -> u64 {
    mix64(mix64(seed) ^ k)
}

/// What decides when the request at a place of the sequence of `seed` is due: evenly distributed from 0 to just below 1.
pub(crate) fn uniform(seed: u64, k: u64) -> f64 {
    (mix64(unique(seed, k) ^ TIME) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Tells the hash for a hand from that for the unique values.
const HAND: u64 = 0x5851_f42d_4c95_7f2d;
/// Tells the hash for a time from the unique value that it is derived from.
const TIME: u64 = 0x1405_7b7e_f767_814f;

/// Where a card of a hand of `total` cards goes: a permutation of `0..total` that the hash decides, and that needs no list.
/// Multiplying by a number without a common factor with `total`, and adding another, meets every place once.
fn shuffle(card: u64, hash: u64, total: u64) -> u64 {
    let mut step = 1 + scale(hash, total);
    while gcd(step, total) != 1 {
        step += 1;
    }
    let place = (u128::from(card) * u128::from(step) + u128::from(scale(mix64(hash), total))) % u128::from(total);
    u64::try_from(place).unwrap_or(0)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Maps 64 uniform bits to `0..total` by the multiply-high method (D. Lemire, "Fast random integer generation in an
/// interval", 2019). Without its rejection step the bias is below total / 2^64, that is none that could be seen.
fn scale(bits: u64, total: u64) -> u64 {
    let high = (u128::from(bits) * u128::from(total)) >> 64;
    u64::try_from(high).unwrap_or(u64::MAX)
}

/// The output function of `SplitMix64` (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
/// 2014) with the usual increment added first.
fn mix64(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Parts;
    use std::collections::HashSet;

    fn mix(weights: &[u32]) -> Mix {
        let request = Request::new(&Parts { method: "GET", path: "/", ..Parts::default() }).expect("valid parts");
        Mix::new(weights.iter().map(|&weight| (request.clone(), weight))).expect("a weight above zero")
    }

    #[test]
    fn the_hash_is_splitmix64() {
        // The first two outputs of the reference implementation for the seed 1234567.
        assert_eq!(mix64(1_234_567), 6_457_827_717_110_365_317);
        assert_eq!(mix64(1_234_567_u64.wrapping_add(0x9e37_79b9_7f4a_7c15)), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_sequence_depends_on_its_seed_alone() {
        let mix = mix(&[1, 2, 3]);
        let sequence = |seed| (0..1000).map(|k| mix.draw(seed, k)).collect::<Vec<_>>();
        assert_eq!(sequence(7), sequence(7));
        assert_ne!(sequence(7), sequence(8));
        // Pinned: records of older runs name seeds, and a seed must go on meaning the same load.
        assert_eq!((0..12).map(|k| mix.draw(1, k).request).collect::<Vec<_>>(), [0, 2, 2, 2, 1, 1, 2, 2, 1, 1, 0, 2]);
    }

    #[test]
    fn weights_are_kept_and_zero_is_never_drawn() {
        let mix = mix(&[0, 10, 30, 0, 60, 0]);
        let mut counts = [0_u32; 6];
        for k in 0..100_000 {
            counts[mix.draw(42, k).request] += 1;
        }
        assert_eq!((counts[0], counts[3], counts[5]), (0, 0, 0));
        for (count, share) in [(counts[1], 10_000), (counts[2], 30_000), (counts[4], 60_000)] {
            assert_eq!(count, share, "{counts:?}");
        }
    }

    #[test]
    fn every_hand_holds_each_request_as_often_as_its_weight() {
        for weights in [[95, 4, 1], [1, 1, 5], [1, 2, 0], [7, 11, 12]] {
            let mix = mix(&weights);
            let total = u64::from(weights.iter().sum::<u32>());
            let hand = |seed, hand: u64| (hand * total..(hand + 1) * total).map(move |k| (seed, k));
            for (seed, number) in [(1, 0), (1, 1), (2, 77)] {
                let mut counts = [0; 3];
                hand(seed, number).for_each(|(seed, k)| counts[mix.draw(seed, k).request] += 1);
                assert_eq!(counts, weights, "seed {seed}, hand {number}");
            }
        }
        let mix = mix(&[1; 100]);
        let order = |hand: u64| (hand * 100..hand * 100 + 100).map(|k| mix.draw(1, k).request).collect::<Vec<_>>();
        assert_ne!(order(0), order(1));
    }

    #[test]
    fn unique_values_never_repeat_and_times_are_even() {
        let mix = mix(&[1]);
        let unique: HashSet<u64> = (0..100_000).map(|k| mix.draw(3, k).unique).collect();
        assert_eq!(unique.len(), 100_000);
        let uniform: Vec<f64> = (0..100_000).map(|k| uniform(3, k)).collect();
        assert!(uniform.iter().all(|drawn| (0.0..1.0).contains(drawn)));
        let mean = uniform.iter().sum::<f64>() / uniform.len() as f64;
        assert!((mean - 0.5).abs() < 0.005, "{mean}");
    }

    #[test]
    fn a_mix_without_weight_is_refused() {
        assert!(Mix::new([]).is_err());
    }
}
