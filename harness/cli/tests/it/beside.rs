//! What a command does while another one has the machine.

use std::io::{BufRead, BufReader};

use tare_runner::sys::lock::MachineLock;

use crate::program::{Runs, alone, stderr, tare};

#[test]
fn nothing_is_cleaned_or_measured_while_somebody_else_measures() {
    let (_alone, runs) = (alone(), Runs::new());
    let lock = loop {
        // Other programs of this machine may have it for a moment.
        if let Ok(lock) = MachineLock::try_take().unwrap() {
            break lock;
        }
        std::thread::yield_now();
    };
    let holder = format!("process {}", std::process::id());

    let clean = tare(&["clean", "--results"]).output().unwrap();
    assert_eq!(clean.status.code(), Some(2));
    assert!(stderr(&clean).contains(&holder), "{}", stderr(&clean));

    // A URL at which nobody listens: what it waits for is the machine, and it measures nothing then.
    let mut compare = tare(&["compare", "--url", "http://127.0.0.1:9"]).args(runs.args()).spawn().unwrap();
    let mut told = BufReader::new(compare.stderr.take().unwrap()).lines();
    let first = told.next().unwrap().unwrap();
    assert!(first.contains(&holder) && first.contains("waiting"), "{first}");
    assert!(compare.try_wait().unwrap().is_none());
    drop(lock);
    told.for_each(drop);
    assert_eq!(compare.wait().unwrap().code(), Some(2));
}
