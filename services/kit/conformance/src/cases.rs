//! The cases of the suite. Each works on keys that nothing else uses, so it can run again on the same store.

use std::fmt::Debug;

use service_kit::random_id;
use service_kit::store::{Cas, Decision, Store, StoreError};

/// What a case found: nothing, or what was wrong.
type Found = Result<(), String>;

/// Runs every case.
pub(crate) async fn run<S: Store>(store: &S) -> Vec<(&'static str, Found)> {
    macro_rules! cases {
        ($($case:ident),+ $(,)?) => {
            vec![$((stringify!($case), $case(store).await)),+]
        };
    }
    cases![
        a_missing_key_has_no_value,
        what_is_set_is_read,
        set_replaces,
        values_are_any_bytes,
        keys_are_apart,
        delete_removes_and_may_be_repeated,
        a_counter_begins_at_zero,
        a_counter_goes_both_ways,
        a_counter_is_decimal_text,
        decimal_text_is_a_counter,
        what_is_no_number_is_not_counted,
        a_counter_does_not_overflow,
        a_swap_creates,
        a_swap_replaces,
        a_swap_fails_after_a_set,
        a_swap_fails_after_a_delete,
        a_swap_fails_after_another_created,
        of_two_swaps_one_succeeds,
        an_update_creates_and_changes,
        a_stale_swap_fails_after_an_update,
        an_update_that_keeps_writes_nothing,
        an_update_that_refuses_writes_nothing,
        a_record_of_another_kind_is_told,
    ]
}

fn key() -> String {
    format!("store-suite/case/{}", random_id())
}

#[expect(clippy::needless_pass_by_value, reason = "what is compared is made for it at each call")]
fn equal<T: PartialEq + Debug>(what: &str, got: T, expected: T) -> Found {
    if got == expected { Ok(()) } else { Err(format!("{what}: got {got:?}, expected {expected:?}")) }
}

fn works<T>(result: Result<T, StoreError>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

async fn value_is<S: Store>(store: &S, key: &str, expected: Option<&[u8]>) -> Found {
    equal("value", works(store.get(key).await)?.as_deref(), expected)
}

async fn a_missing_key_has_no_value<S: Store>(store: &S) -> Found {
    let key = key();
    value_is(store, &key, None).await?;
    equal("value to swap", works(store.cas(&key).await)?.current(), None)
}

async fn what_is_set_is_read<S: Store>(store: &S) -> Found {
    let key = key();
    works(store.set(&key, b"value").await)?;
    value_is(store, &key, Some(b"value")).await?;
    equal("value to swap", works(store.cas(&key).await)?.current(), Some(b"value"))
}

async fn set_replaces<S: Store>(store: &S) -> Found {
    let key = key();
    works(store.set(&key, b"a longer value").await)?;
    works(store.set(&key, b"short").await)?;
    value_is(store, &key, Some(b"short")).await
}

async fn values_are_any_bytes<S: Store>(store: &S) -> Found {
    let key = key();
    let all: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
    for value in [&all[..], b"", b"\0", b"\xff\xfe"] {
        works(store.set(&key, value).await)?;
        value_is(store, &key, Some(value)).await?;
    }
    Ok(())
}

async fn keys_are_apart<S: Store>(store: &S) -> Found {
    let key = key();
    let others = [format!("{key}/"), format!("{key}\u{e9}"), key.to_uppercase()];
    works(store.set(&key, b"value").await)?;
    for other in &others {
        value_is(store, other, None).await?;
    }
    Ok(())
}

async fn delete_removes_and_may_be_repeated<S: Store>(store: &S) -> Found {
    let key = key();
    works(store.delete(&key).await)?;
    works(store.set(&key, b"value").await)?;
    works(store.delete(&key).await)?;
    works(store.delete(&key).await)?;
    value_is(store, &key, None).await
}

async fn a_counter_begins_at_zero<S: Store>(store: &S) -> Found {
    equal("first sum", works(store.increment(&key(), 5).await)?, 5)?;
    equal("first sum", works(store.increment(&key(), -5).await)?, -5)?;
    equal("first sum", works(store.increment(&key(), 0).await)?, 0)
}

async fn a_counter_goes_both_ways<S: Store>(store: &S) -> Found {
    let key = key();
    for (delta, expected) in [(3, 3), (-4, -1), (0, -1), (11, 10)] {
        equal("sum", works(store.increment(&key, delta).await)?, expected)?;
    }
    Ok(())
}

async fn a_counter_is_decimal_text<S: Store>(store: &S) -> Found {
    let key = key();
    works(store.increment(&key, 120).await)?;
    value_is(store, &key, Some(b"120")).await?;
    works(store.increment(&key, -200).await)?;
    value_is(store, &key, Some(b"-80")).await
}

async fn decimal_text_is_a_counter<S: Store>(store: &S) -> Found {
    let key = key();
    works(store.set(&key, b"41").await)?;
    equal("sum", works(store.increment(&key, 1).await)?, 42)
}

async fn what_is_no_number_is_not_counted<S: Store>(store: &S) -> Found {
    for value in [&b"text"[..], b"", b"1.5", b"\xff"] {
        let key = key();
        works(store.set(&key, value).await)?;
        equal("increment succeeds", store.increment(&key, 1).await.is_ok(), false)?;
        value_is(store, &key, Some(value)).await?;
    }
    Ok(())
}

async fn a_counter_does_not_overflow<S: Store>(store: &S) -> Found {
    let key = key();
    equal("sum", works(store.increment(&key, i64::MAX).await)?, i64::MAX)?;
    equal("increment succeeds", store.increment(&key, 1).await.is_ok(), false)?;
    value_is(store, &key, Some(i64::MAX.to_string().as_bytes())).await
}

async fn a_swap_creates<S: Store>(store: &S) -> Found {
    let key = key();
    equal("swapped", works(works(store.cas(&key).await)?.swap(b"new").await)?, true)?;
    value_is(store, &key, Some(b"new")).await
}

async fn a_swap_replaces<S: Store>(store: &S) -> Found {
    let key = key();
    works(store.set(&key, b"old").await)?;
    equal("swapped", works(works(store.cas(&key).await)?.swap(b"new").await)?, true)?;
    value_is(store, &key, Some(b"new")).await
}

async fn a_swap_fails_after_a_set<S: Store>(store: &S) -> Found {
    let key = key();
    works(store.set(&key, b"old").await)?;
    let cas = works(store.cas(&key).await)?;
    works(store.set(&key, b"theirs").await)?;
    equal("swapped", works(cas.swap(b"mine").await)?, false)?;
    value_is(store, &key, Some(b"theirs")).await
}

async fn a_swap_fails_after_a_delete<S: Store>(store: &S) -> Found {
    let key = key();
    works(store.set(&key, b"old").await)?;
    let cas = works(store.cas(&key).await)?;
    works(store.delete(&key).await)?;
    equal("swapped", works(cas.swap(b"mine").await)?, false)?;
    value_is(store, &key, None).await
}

async fn a_swap_fails_after_another_created<S: Store>(store: &S) -> Found {
    let key = key();
    let cas = works(store.cas(&key).await)?;
    works(store.set(&key, b"").await)?;
    equal("swapped", works(cas.swap(b"mine").await)?, false)?;
    value_is(store, &key, Some(b"")).await
}

async fn of_two_swaps_one_succeeds<S: Store>(store: &S) -> Found {
    let key = key();
    works(store.set(&key, b"old").await)?;
    let (first, second) = (works(store.cas(&key).await)?, works(store.cas(&key).await)?);
    equal("first swapped", works(first.swap(b"first").await)?, true)?;
    equal("second swapped", works(second.swap(b"second").await)?, false)?;
    value_is(store, &key, Some(b"first")).await
}

async fn an_update_creates_and_changes<S: Store>(store: &S) -> Found {
    let key = key();
    for expected in 1..=3_u32 {
        let add = |record: Option<u32>| {
            let record = record.unwrap_or(0) + 1;
            Ok::<_, StoreError>(Decision::Write(record, record))
        };
        equal("answer", works(store.update(&key, add).await)?, expected)?;
    }
    equal("record", works(store.read::<u32>(&key).await)?, Some(3))
}

async fn a_stale_swap_fails_after_an_update<S: Store>(store: &S) -> Found {
    let key = key();
    works(store.write(&key, &1).await)?;
    let stale = works(store.cas(&key).await)?;
    let add = |record: Option<u32>| Ok::<_, StoreError>(Decision::Write(record.unwrap_or(0) + 1, ()));
    works(store.update(&key, add).await)?;
    equal("stale swap", works(stale.swap(b"9").await)?, false)?;
    works(store.update(&key, add).await)?;
    equal("record", works(store.read::<u32>(&key).await)?, Some(3))
}

async fn an_update_that_keeps_writes_nothing<S: Store>(store: &S) -> Found {
    let key = key();
    let keep = |record: Option<u32>| Ok::<_, StoreError>(Decision::<u32, _>::Keep(record));
    equal("answer", works(store.update(&key, keep).await)?, None)?;
    value_is(store, &key, None).await
}

async fn an_update_that_refuses_writes_nothing<S: Store>(store: &S) -> Found {
    let key = key();
    works(store.write(&key, &7).await)?;
    let refuse = |_: Option<u32>| Err::<Decision<u32, ()>, _>(StoreError::Other("refused".into()));
    equal("answer", store.update(&key, refuse).await, Err(StoreError::Other("refused".into())))?;
    equal("record", works(store.read::<u32>(&key).await)?, Some(7))
}

async fn a_record_of_another_kind_is_told<S: Store>(store: &S) -> Found {
    let key = key();
    works(store.set(&key, b"{").await)?;
    equal("record", store.read::<u32>(&key).await, Err(StoreError::Corrupt(key.clone())))
}
