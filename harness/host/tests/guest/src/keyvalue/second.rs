//! The same through the second draft, with compare-and-swap.

use super::draft2::atomics::{self, Cas, CasError};
use super::draft2::store;
use super::text;

/// Does something with a key; answers in words.
pub(super) fn act(deed: &str, key: &str, value: &str) -> String {
    let bucket = match store::open(if deed == "elsewhere" { "elsewhere" } else { "default" }) {
        Ok(bucket) => bucket,
        Err(error) => return format!("{error:?}"),
    };
    match deed {
        "get" => format!("{:?}", bucket.get(key).map(text)),
        "set" => format!("{:?}", bucket.set(key, value.as_bytes())),
        "delete" => format!("{:?}", bucket.delete(key)),
        "exists" => format!("{:?}", bucket.exists(key)),
        "keys" => pages(&bucket),
        "increment" => format!("{:?}", atomics::increment(&bucket, key, value.parse().unwrap_or_default())),
        "count" => count(&bucket, key, value.parse().unwrap_or_default()),
        "append" => append(&bucket, key, value),
        "lose" => lose(&bucket, key),
        "fill" => fill(&bucket, key.parse().unwrap_or_default(), value.parse().unwrap_or_default()),
        "hold" => hold(&bucket, key, value.parse().unwrap_or_default()),
        other => format!("there is no {other}"),
    }
}

/// Writes many keys if there are few, and lists them all.
fn pages(bucket: &store::Bucket) -> String {
    for index in 0..2500 {
        bucket.set(&format!("{index:05}"), b"").expect("the bucket is there");
    }
    let (mut pages, mut keys, mut cursor) = (0, Vec::new(), None::<String>);
    loop {
        let page = bucket.list_keys(cursor.as_deref()).expect("the bucket is there");
        pages += 1;
        keys.extend(page.keys);
        cursor = page.cursor;
        if cursor.is_none() {
            return format!("{} in {pages}, sorted {}", keys.len(), keys.is_sorted());
        }
    }
}

/// Increments a counter as often as asked.
fn count(bucket: &store::Bucket, key: &str, times: u32) -> String {
    (0..times)
        .try_fold(0, |_, _| atomics::increment(bucket, key, 1))
        .map_or_else(|error| format!("{error:?}"), |n| n.to_string())
}

/// Appends to a value by compare and swap, as often as it takes. Uses the handle that a failed swap gives back.
fn append(bucket: &store::Bucket, key: &str, value: &str) -> String {
    let mut cas = Cas::new(bucket, key).expect("the bucket is there");
    loop {
        let mut new = cas.current().expect("the bucket is there").unwrap_or_default();
        new.extend_from_slice(value.as_bytes());
        match atomics::swap(cas, &new) {
            Ok(()) => return "appended".to_owned(),
            Err(CasError::CasFailed(fresh)) => cas = fresh,
            Err(CasError::StoreError(error)) => return format!("{error:?}"),
        }
    }
}

/// Lets somebody else write between reading and swapping.
fn lose(bucket: &store::Bucket, key: &str) -> String {
    let cas = Cas::new(bucket, key).expect("the bucket is there");
    let before = cas.current().map(text);
    bucket.set(key, b"theirs").expect("the bucket is there");
    match atomics::swap(cas, b"ours") {
        Ok(()) => "won".to_owned(),
        Err(CasError::StoreError(error)) => format!("{error:?}"),
        Err(CasError::CasFailed(fresh)) => {
            let after = fresh.current().map(text);
            format!("{before:?} {after:?} {:?}", atomics::swap(fresh, b"ours").is_ok())
        }
    }
}

/// Writes so many values of a length, each under a key of its own, until one is refused; answers how many were written, and why
/// no more.
fn fill(bucket: &store::Bucket, length: usize, count: u32) -> String {
    let value = vec![b'x'; length];
    let refused = (0..count).find_map(|number| Some((number, bucket.set(&number.to_string(), &value).err()?)));
    format!("{refused:?}")
}

/// Keeps so many handles on the value of a key, until one is refused; answers how many it had, and why no more.
fn hold(bucket: &store::Bucket, key: &str, count: usize) -> String {
    let mut held = Vec::new();
    let refused = (0..count).find_map(|_| Cas::new(bucket, key).map(|cas| held.push(cas)).err());
    format!("{} {refused:?}", held.len())
}
