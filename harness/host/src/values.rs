//! The state behind `wasi:keyvalue`: one map per service, in memory, shared by its instances.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name of the one bucket that a service has.
pub const BUCKET: &str = "default";

/// Into how many maps the keys are spread, so that worker threads seldom wait for each other.
const SHARDS: usize = 16;

/// How many keys one page of a listing holds.
pub const PAGE: usize = 1000;

/// A number under a key could not be added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IncrementError {
    /// The value is not decimal text, or is out of the range of the type.
    #[error("the value is not a number")]
    NotANumber,
    /// The sum is out of the range of the type.
    #[error("the counter would overflow")]
    Overflow,
}

/// Values under string keys. Every operation on a single key is atomic.
#[derive(Debug, Default)]
pub struct Values {
    hasher: RandomState,
    shards: [Mutex<HashMap<String, Vec<u8>>>; SHARDS],
}

impl Values {
    fn shard(&self, key: &str) -> MutexGuard<'_, HashMap<String, Vec<u8>>> {
        let shard = self.hasher.hash_one(key) % SHARDS as u64;
        lock(&self.shards[usize::try_from(shard).expect("less than SHARDS")])
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.shard(key).get(key).cloned()
    }

    /// Sets the value of a key.
    pub fn set(&self, key: String, value: Vec<u8>) {
        self.shard(&key).insert(key, value);
    }

    /// Removes a key, if it is there.
    pub fn delete(&self, key: &str) {
        self.shard(key).remove(key);
    }

    /// Whether a key has a value.
    pub fn exists(&self, key: &str) -> bool {
        self.shard(key).contains_key(key)
    }

    /// Changes the decimal number under a key, which starts at 0, by `add`; answers what `add` answered.
    ///
    /// # Errors
    /// The value is no number or `add` finds no sum; then it stays as it was.
    pub fn increment<N>(&self, key: String, add: impl FnOnce(N) -> Option<N>) -> Result<N, IncrementError>
    where
        N: Default + ToString + std::str::FromStr,
    {
        let mut shard = self.shard(&key);
        let number = match shard.get(&key) {
            None => N::default(),
            Some(value) => {
                std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).ok_or(IncrementError::NotANumber)?
            }
        };
        let sum = add(number).ok_or(IncrementError::Overflow)?;
        shard.insert(key, sum.to_string().into_bytes());
        Ok(sum)
    }

    /// Sets the value of a key if it still has the value `expected`. Answers the value it has instead otherwise.
    pub fn swap(&self, key: &str, expected: Option<&[u8]>, value: Vec<u8>) -> Result<(), Option<Vec<u8>>> {
        let mut shard = self.shard(key);
        let current = shard.get(key);
        if current.map(Vec::as_slice) != expected {
            return Err(current.cloned());
        }
        shard.insert(key.to_owned(), value);
        Ok(())
    }

    /// At most [`PAGE`] keys beyond `start`, in ascending order, after `skip` of them; and whether there are more.
    pub fn keys(&self, start: Bound<&str>, skip: usize) -> (Vec<String>, bool) {
        let beyond = |key: &str| match start {
            Bound::Unbounded => true,
            Bound::Included(start) => key >= start,
            Bound::Excluded(start) => key > start,
        };
        let mut keys: Vec<String> = Vec::new();
        for shard in &self.shards {
            keys.extend(lock(shard).keys().filter(|key| beyond(key)).cloned());
        }
        keys.sort_unstable();
        let mut page = keys.split_off(skip.min(keys.len()));
        let more = page.len() > PAGE;
        page.truncate(PAGE);
        (page, more)
    }
}

/// No operation leaves a map half changed, so one that panicked did no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_there_until_it_is_deleted() {
        let values = Values::default();
        assert_eq!(values.get("a"), None);
        values.set("a".into(), b"1".to_vec());
        values.set("a".into(), b"2".to_vec());
        assert_eq!(values.get("a").as_deref(), Some(&b"2"[..]));
        assert!(values.exists("a"));
        values.delete("a");
        values.delete("a");
        assert!(!values.exists("a"));
    }

    #[test]
    fn a_counter_starts_at_zero_and_is_kept_as_text() {
        let values = Values::default();
        assert_eq!(values.increment("n".into(), |n: i64| n.checked_add(5)), Ok(5));
        assert_eq!(values.increment("n".into(), |n: i64| n.checked_add(-7)), Ok(-2));
        assert_eq!(values.get("n").as_deref(), Some(&b"-2"[..]));
    }

    #[test]
    fn a_counter_that_cannot_be_added_to_stays_as_it_was() {
        let values = Values::default();
        values.set("text".into(), b"ten".to_vec());
        assert_eq!(values.increment("text".into(), |n: i64| n.checked_add(1)), Err(IncrementError::NotANumber));
        assert_eq!(values.get("text").as_deref(), Some(&b"ten"[..]));
        let most = i64::MAX.to_string().into_bytes();
        values.set("most".into(), most.clone());
        assert_eq!(values.increment("most".into(), |n: i64| n.checked_add(1)), Err(IncrementError::Overflow));
        assert_eq!(values.get("most"), Some(most));
    }

    #[test]
    fn a_swap_happens_only_if_nobody_else_wrote() {
        let values = Values::default();
        assert_eq!(values.swap("a", None, b"1".to_vec()), Ok(()));
        assert_eq!(values.swap("a", None, b"2".to_vec()), Err(Some(b"1".to_vec())));
        assert_eq!(values.swap("a", Some(b"1"), b"2".to_vec()), Ok(()));
        values.delete("a");
        assert_eq!(values.swap("a", Some(b"2"), b"3".to_vec()), Err(None));
    }

    #[test]
    fn keys_come_in_order_and_in_pages() {
        let values = Values::default();
        let all: Vec<String> = (0..=2 * PAGE).map(|i| format!("{i:05}")).collect();
        for key in &all {
            values.set(key.clone(), Vec::new());
        }
        let (first, more) = values.keys(Bound::Unbounded, 0);
        assert!(more);
        assert_eq!(first, all[..PAGE]);
        let (second, more) = values.keys(Bound::Excluded(first.last().unwrap()), 0);
        assert!(more);
        assert_eq!(second, all[PAGE..2 * PAGE]);
        let (third, more) = values.keys(Bound::Unbounded, 2 * PAGE);
        assert!(!more);
        assert_eq!(third, all[2 * PAGE..]);
        assert_eq!(values.keys(Bound::Unbounded, usize::MAX), (Vec::new(), false));
    }

    #[test]
    fn concurrent_increments_all_count() {
        let values = Values::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        values.increment("n".into(), |n: u64| n.checked_add(1)).unwrap();
                    }
                });
            }
        });
        assert_eq!(values.get("n").as_deref(), Some(&b"4000"[..]));
    }
}
