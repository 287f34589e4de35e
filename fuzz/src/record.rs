//! The reader of `run.json`.

use tare_model::RunRecord;

/// Reads the record of a run and asks it what a report asks; the input is the file.
///
/// # Panics
/// Panics if a record that was read is another after it has been written and read again.
pub fn record(input: &[u8]) {
    let Ok(read) = serde_json::from_slice::<RunRecord>(input) else { return };
    let text = serde_json::to_vec(&read).expect("a record that was read can be written");
    let again: RunRecord = serde_json::from_slice(&text).expect("what was written can be read");
    assert_eq!(again, read);
    let _ = (read.is_isolated(), read.controls());
    for subject in &read.plan.subjects {
        let _ = (read.variant(subject), read.side(subject), read.open_rate_rps(subject));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_records() {
        for (name, seed) in crate::seeds("record") {
            record(&seed);
            let read = serde_json::from_slice::<RunRecord>(&seed);
            assert!(read.is_ok(), "{name}: {}", read.unwrap_err());
        }
    }
}
