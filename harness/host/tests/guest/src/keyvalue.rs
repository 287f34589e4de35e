//! What the component does with the store, through both drafts of the interface.

#[cfg(not(feature = "stock"))]
#[expect(clippy::pedantic, reason = "generated code")]
mod draft2 {
    wit_bindgen::generate!({ path: "../../wit/keyvalue-draft2", world: "imports" });
    pub(super) use wasi::keyvalue::{atomics, store};
}

#[expect(clippy::pedantic, reason = "generated code")]
mod draft {
    wit_bindgen::generate!({ path: "../../wit/keyvalue-draft", world: "imports" });
    pub(super) use wasi::keyvalue::{atomics, store};
}

/// Does something with a key; answers in words.
pub(crate) fn act(deed: &str, key: &str, value: &str) -> String {
    match deed.strip_prefix("draft/") {
        Some(deed) => act_on_draft(deed, key, value),
        None => second::act(deed, key, value),
    }
}

#[cfg(feature = "stock")]
mod second {
    pub(super) fn act(deed: &str, _: &str, _: &str) -> String {
        format!("there is no {deed}")
    }
}

#[cfg(not(feature = "stock"))]
mod second;

fn act_on_draft(deed: &str, key: &str, value: &str) -> String {
    let bucket = match draft::store::open("") {
        Ok(bucket) => bucket,
        Err(error) => return format!("{error:?}"),
    };
    match deed {
        "get" => format!("{:?}", bucket.get(key).map(text)),
        "set" => format!("{:?}", bucket.set(key, value.as_bytes())),
        "delete" => format!("{:?}", bucket.delete(key)),
        "exists" => format!("{:?}", bucket.exists(key)),
        "keys" => {
            let (mut pages, mut keys, mut cursor) = (0, 0, None);
            loop {
                let page = bucket.list_keys(cursor).expect("the bucket is there");
                pages += 1;
                keys += page.keys.len();
                cursor = page.cursor;
                if cursor.is_none() {
                    return format!("{keys} in {pages}");
                }
            }
        }
        "increment" => format!("{:?}", draft::atomics::increment(&bucket, key, value.parse().unwrap_or_default())),
        other => format!("there is no {other}"),
    }
}

fn text(value: Option<Vec<u8>>) -> Option<String> {
    value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
