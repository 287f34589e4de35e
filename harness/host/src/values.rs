//! The state behind `wasi:keyvalue`: one map per service, in memory, shared by its instances.

use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::log::ServiceLog;

/// The name of the one bucket that a service has.
pub const BUCKET: &str = "default";

/// Into how many maps the keys are spread, so that worker threads seldom wait for each other.
const SHARDS: usize = 16;

/// How many keys one page of a listing holds.
pub const PAGE: usize = 1000;

/// What a key costs besides its own bytes and those of its value: its slot in a map that is half full, as maps are that have just
/// grown, and what the allocator adds to both.
const SLOT: usize = 160;

/// There is no room for what was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store is full: it may take {limit} bytes (--store-limit)")]
pub struct Full {
    /// How much there is in all, in bytes.
    limit: usize,
}

/// A number under a key could not be added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IncrementError {
    /// The value is not decimal text, or is out of the range of the type.
    #[error("the value is not a number")]
    NotANumber,
    /// The sum is out of the range of the type.
    #[error("the counter would overflow")]
    Overflow,
    /// There is no room for the sum.
    #[error(transparent)]
    Full(#[from] Full),
}

/// A value was not swapped.
#[derive(Debug)]
pub enum SwapError {
    /// Somebody else wrote: the value as it is now.
    Changed(Cas),
    /// There is no room for the new value, or for the one as it is now.
    Full(Full),
}

/// Values under string keys. Every operation on a single key is atomic.
#[derive(Debug)]
pub struct Values {
    hasher: RandomState,
    shards: [Mutex<HashMap<String, Vec<u8>>>; SHARDS],
    /// Held by who lists keys.
    listing: Mutex<()>,
    room: Room,
}

/// How much may be kept, and how much is, in bytes.
#[derive(Debug)]
struct Room {
    limit: usize,
    used: AtomicUsize,
    told: AtomicBool,
    log: Arc<ServiceLog>,
}

impl Room {
    /// Takes so much more, or gives back what is less.
    fn change(&self, before: usize, after: usize) -> Result<(), Full> {
        let Some(more) = after.checked_sub(before) else {
            self.used.fetch_sub(before - after, Ordering::Relaxed);
            return Ok(());
        };
        let enough = |used: usize| used.checked_add(more).filter(|used| *used <= self.limit);
        if more == 0 || self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough).is_ok() {
            return Ok(());
        }
        let full = Full { limit: self.limit };
        if !self.told.swap(true, Ordering::Relaxed) {
            self.log.line(&full.to_string());
        }
        Err(full)
    }
}

/// What a value costs under its key.
fn cost(key: &str, value: &[u8]) -> usize {
    SLOT + key.len() + value.len()
}

/// A key, and the value that it had: what a swap compares with. It takes room as if it were kept.
#[derive(Debug)]
pub struct Cas {
    values: Arc<Values>,
    key: String,
    current: Option<Vec<u8>>,
}

impl Cas {
    fn new(values: &Arc<Values>, key: String, current: Option<Vec<u8>>) -> Result<Self, Full> {
        values.room.change(0, cost(&key, current.as_deref().unwrap_or_default()))?;
        Ok(Self { values: Arc::clone(values), key, current })
    }

    /// Returns the value that the key had.
    pub fn current(&self) -> Option<&[u8]> {
        self.current.as_deref()
    }

    /// Sets the value of the key if it still has the value that it had.
    ///
    /// # Errors
    /// It has another one, or there is no room.
    pub fn swap(self, value: Vec<u8>) -> Result<(), SwapError> {
        let mut shard = self.values.shard(&self.key);
        let now = match shard.entry(self.key.clone()) {
            Entry::Occupied(entry) if self.current.as_ref() != Some(entry.get()) => Some(entry.get().clone()),
            Entry::Vacant(_) if self.current.is_some() => None,
            entry => return self.values.put(entry, value).map_err(SwapError::Full),
        };
        drop(shard);
        let (values, key) = (Arc::clone(&self.values), self.key.clone());
        // What it had is given back before what it has is taken.
        drop(self);
        Err(Self::new(&values, key, now).map_or_else(SwapError::Full, SwapError::Changed))
    }
}

impl Drop for Cas {
    fn drop(&mut self) {
        let before = cost(&self.key, self.current.as_deref().unwrap_or_default());
        self.values.room.used.fetch_sub(before, Ordering::Relaxed);
    }
}

impl Values {
    /// None, and room for so many bytes. The first time that there is none is told in the log.
    pub fn new(limit: usize, log: &Arc<ServiceLog>) -> Arc<Self> {
        let room = Room { limit, used: AtomicUsize::new(0), told: AtomicBool::new(false), log: Arc::clone(log) };
        Arc::new(Self { hasher: RandomState::new(), shards: Default::default(), listing: Mutex::default(), room })
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, HashMap<String, Vec<u8>>> {
        let shard = self.hasher.hash_one(key) % SHARDS as u64;
        lock(&self.shards[usize::try_from(shard).expect("less than SHARDS")])
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.shard(key).get(key).cloned()
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    /// There is no room for it; then the key has the value that it had.
    pub fn set(&self, key: String, value: Vec<u8>) -> Result<(), Full> {
        self.put(self.shard(&key).entry(key), value)
    }

    fn put(&self, entry: Entry<'_, String, Vec<u8>>, value: Vec<u8>) -> Result<(), Full> {
        match entry {
            Entry::Occupied(mut entry) => {
                self.room.change(entry.get().len(), value.len())?;
                entry.insert(value);
            }
            Entry::Vacant(entry) => {
                self.room.change(0, cost(entry.key(), &value))?;
                entry.insert(value);
            }
        }
        Ok(())
    }

    /// Removes a key, if it is there.
    pub fn delete(&self, key: &str) {
        if let Some(value) = self.shard(key).remove(key) {
            self.room.used.fetch_sub(cost(key, &value), Ordering::Relaxed);
        }
    }

    /// Whether a key has a value.
    pub fn exists(&self, key: &str) -> bool {
        self.shard(key).contains_key(key)
    }

    /// Changes the decimal number under a key, which starts at 0, by `add`; answers what `add` answered.
    ///
    /// # Errors
    /// The value is no number, `add` finds no sum, or there is no room for it; then it stays as it was.
    pub fn increment<N>(&self, key: String, add: impl FnOnce(N) -> Option<N>) -> Result<N, IncrementError>
    where
        N: Default + ToString + std::str::FromStr,
    {
        let mut shard = self.shard(&key);
        let entry = shard.entry(key);
        let number = match &entry {
            Entry::Vacant(_) => N::default(),
            Entry::Occupied(entry) => {
                let text = std::str::from_utf8(entry.get()).ok();
                text.and_then(|text| text.parse().ok()).ok_or(IncrementError::NotANumber)?
            }
        };
        let sum = add(number).ok_or(IncrementError::Overflow)?;
        self.put(entry, sum.to_string().into_bytes())?;
        Ok(sum)
    }

    /// The value of a key, to be swapped for another if nobody else writes.
    ///
    /// # Errors
    /// There is no room for a copy.
    pub fn cas(self: &Arc<Self>, key: String) -> Result<Cas, Full> {
        let current = self.get(&key);
        Cas::new(self, key, current)
    }

    /// At most [`PAGE`] keys beyond `start`, in ascending order, after `skip` of them; and whether there are more.
    ///
    /// Keys are copied, so that no shard is locked for long: no more than up to the page, and for one listing at a time.
    pub fn keys(&self, start: Bound<&str>, skip: usize) -> (Vec<String>, bool) {
        let _one = lock(&self.listing);
        let beyond = |key: &str| match start {
            Bound::Unbounded => true,
            Bound::Included(start) => key >= start,
            Bound::Excluded(start) => key > start,
        };
        let upto = skip.saturating_add(PAGE);
        // The first keys, and one more.
        let mut first: BinaryHeap<String> = BinaryHeap::new();
        for shard in &self.shards {
            for key in lock(shard).keys().filter(|key| beyond(key)) {
                if first.len() <= upto {
                    first.push(key.clone());
                } else if let Some(mut last) = first.peek_mut()
                    && *key < *last
                {
                    last.clone_from(key);
                }
            }
        }
        let more = first.len() > upto;
        let mut keys = first.into_sorted_vec();
        keys.truncate(upto);
        (keys.split_off(skip.min(keys.len())), more)
    }
}

/// No operation leaves a map half changed, so one that panicked did no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Arc<Values> {
        with_room(usize::MAX)
    }

    fn with_room(limit: usize) -> Arc<Values> {
        Values::new(limit, &ServiceLog::new("test", 1000))
    }

    #[test]
    fn a_value_is_there_until_it_is_deleted() {
        let values = values();
        assert_eq!(values.get("a"), None);
        values.set("a".into(), b"1".to_vec()).unwrap();
        values.set("a".into(), b"2".to_vec()).unwrap();
        assert_eq!(values.get("a").as_deref(), Some(&b"2"[..]));
        assert!(values.exists("a"));
        values.delete("a");
        values.delete("a");
        assert!(!values.exists("a"));
    }

    #[test]
    fn a_counter_starts_at_zero_and_is_kept_as_text() {
        let values = values();
        assert_eq!(values.increment("n".into(), |n: i64| n.checked_add(5)), Ok(5));
        assert_eq!(values.increment("n".into(), |n: i64| n.checked_add(-7)), Ok(-2));
        assert_eq!(values.get("n").as_deref(), Some(&b"-2"[..]));
    }

    #[test]
    fn a_counter_that_cannot_be_added_to_stays_as_it_was() {
        let values = values();
        values.set("text".into(), b"ten".to_vec()).unwrap();
        assert_eq!(values.increment("text".into(), |n: i64| n.checked_add(1)), Err(IncrementError::NotANumber));
        assert_eq!(values.get("text").as_deref(), Some(&b"ten"[..]));
        let most = i64::MAX.to_string().into_bytes();
        values.set("most".into(), most.clone()).unwrap();
        assert_eq!(values.increment("most".into(), |n: i64| n.checked_add(1)), Err(IncrementError::Overflow));
        assert_eq!(values.get("most"), Some(most));
    }

    #[test]
    fn a_swap_happens_only_if_nobody_else_wrote() {
        let values = values();
        let (first, late) = (values.cas("a".into()).unwrap(), values.cas("a".into()).unwrap());
        first.swap(b"1".to_vec()).unwrap();
        let Err(SwapError::Changed(again)) = late.swap(b"2".to_vec()) else { panic!("it was written") };
        assert_eq!(again.current(), Some(&b"1"[..]));
        again.swap(b"2".to_vec()).unwrap();
        let late = values.cas("a".into()).unwrap();
        values.delete("a");
        assert!(matches!(late.swap(b"3".to_vec()), Err(SwapError::Changed(again)) if again.current().is_none()));
        assert_eq!(values.get("a"), None);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_leaves_what_was_there() {
        let values = with_room(2 * SLOT + 20);
        let used = || values.room.used.load(Ordering::Relaxed);
        values.set("a".into(), b"123456789".to_vec()).unwrap();
        values.set("b".into(), b"123456789".to_vec()).unwrap();
        assert_eq!(used(), 2 * SLOT + 20);
        assert!(values.set("a".into(), b"1234567890".to_vec()).is_err());
        assert!(values.set("c".into(), Vec::new()).is_err());
        assert!(values.cas("a".into()).is_err(), "a copy takes room, too");
        assert!(matches!(values.increment("n".into(), |n: u64| n.checked_add(1)), Err(IncrementError::Full(_))));
        assert_eq!(values.get("a").as_deref(), Some(&b"123456789"[..]));
        assert!(!values.exists("c") && !values.exists("n"));
        assert_eq!(used(), 2 * SLOT + 20);
        values.set("a".into(), b"1".to_vec()).unwrap();
        values.increment("a".into(), |n: u64| n.checked_add(99)).unwrap();
        values.delete("b");
        let cas = values.cas("a".into()).unwrap();
        let other = values.cas("a".into());
        assert!(other.is_err(), "for one copy there is room, for two there is not");
        assert!(matches!(cas.swap(b"12345678901234567890".to_vec()), Err(SwapError::Full(_))));
        values.delete("a");
        values.delete("a");
        assert_eq!(used(), 0);
    }

    #[test]
    fn keys_come_in_order_and_in_pages() {
        let values = values();
        let all: Vec<String> = (0..=2 * PAGE).map(|i| format!("{i:05}")).collect();
        for key in &all {
            values.set(key.clone(), Vec::new()).unwrap();
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
        let values = values();
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
