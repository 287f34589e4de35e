//! A list of identifiers that grows at its end and is read by pages.

use serde::{Deserialize, Serialize};

use crate::store::{Decision, Store, StoreError};

/// How many identifiers a page holds.
const PAGE: usize = 20;

/// The identifiers of things that belong together, such as the orders of one customer.
///
/// Each page is one record. A thing is listed *before* its own record is written: a crash in between leaves an
/// identifier with nothing behind it, which readers skip, and never a thing that is missing from its list.
#[derive(Debug, Clone)]
pub struct PagedIndex<S> {
    store: S,
    prefix: String,
}

/// A page as read.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The identifiers, oldest first.
    pub ids: Vec<String>,
    /// The number of the next page, if there is one.
    pub next: Option<u64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    ids: Vec<String>,
    /// Whether the page after this one has been begun.
    followed: bool,
}

impl<S: Store> PagedIndex<S> {
    /// The index whose records have keys that begin with `prefix`.
    pub fn new(store: S, prefix: impl Into<String>) -> Self {
        Self { store, prefix: prefix.into() }
    }

    /// Adds an identifier at the end, and answers the number of its page.
    ///
    /// What is added twice is listed twice. Where that can happen, the thing's record keeps the number that counts.
    pub async fn append(&self, id: &str) -> Result<u64, StoreError> {
        loop {
            // Where the last page is at least; a reader never needs it, so a crash before it is moved costs one step.
            let hint: u64 = self.store.read(&self.hint_key()).await?.unwrap_or(0);
            if self.append_to(hint, id).await? {
                return Ok(hint);
            }
            self.store.write(&self.hint_key(), &(hint + 1)).await?;
        }
    }

    /// Adds to a page, or answers `false` when it is full.
    async fn append_to(&self, page: u64, id: &str) -> Result<bool, StoreError> {
        self.store
            .update(&self.page_key(page), |record: Option<Record>| {
                let mut record = record.unwrap_or_default();
                if record.ids.len() < PAGE {
                    record.ids.push(id.to_owned());
                    return Ok(Decision::Write(record, true));
                }
                if record.followed {
                    return Ok(Decision::Keep(false));
                }
                record.followed = true;
                Ok(Decision::Write(record, false))
            })
            .await
    }

    /// Reads a page; one beyond the end is empty.
    pub async fn page(&self, page: u64) -> Result<Page, StoreError> {
        let record: Record = self.store.read(&self.page_key(page)).await?.unwrap_or_default();
        Ok(Page { ids: record.ids, next: record.followed.then(|| page + 1) })
    }

    fn page_key(&self, page: u64) -> String {
        format!("{}/{page}", self.prefix)
    }

    fn hint_key(&self) -> String {
        format!("{}/last", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Memory;

    #[tokio::test]
    async fn all_that_was_appended_is_read_in_order() {
        let index = PagedIndex::new(Memory::default(), "list");
        let ids: Vec<String> = (0..=2 * PAGE).map(|number| number.to_string()).collect();
        for id in &ids {
            index.append(id).await.unwrap();
        }
        let (mut read, mut next) = (Vec::new(), Some(0));
        while let Some(number) = next {
            let page = index.page(number).await.unwrap();
            assert!(page.ids.len() <= PAGE);
            read.extend(page.ids);
            next = page.next;
        }
        assert_eq!(read, ids);
    }

    #[tokio::test]
    async fn a_hint_that_was_lost_or_never_moved_loses_nothing() {
        let store = Memory::default();
        let index = PagedIndex::new(store.clone(), "list");
        for number in 0..3 * PAGE {
            store.delete("list/last").await.unwrap();
            index.append(&number.to_string()).await.unwrap();
        }
        for number in 0..3 {
            assert_eq!(index.page(number).await.unwrap().ids.len(), PAGE);
        }
    }

    #[tokio::test]
    async fn a_page_beyond_the_end_is_empty() {
        let index = PagedIndex::new(Memory::default(), "list");
        assert_eq!(index.page(5).await.unwrap(), Page { ids: Vec::new(), next: None });
    }
}
