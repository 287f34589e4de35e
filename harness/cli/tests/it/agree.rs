//! Whether two runs agree.

use crate::program::{Runs, alone, stderr, tare};

/// A run of nothing but plain processes, which takes moments.
const PROCESSES: [&str; 9] =
    ["compare", "--suite", "quick", "--service", "orders", "--platform", "native", "--only", "startup"];

#[test]
fn two_runs_are_compared_and_what_cannot_be_compared_is_named() {
    let _alone = alone();
    let runs = Runs::new();
    let mut names = Vec::new();
    for rounds in ["6", "6", "1"] {
        let output = tare(&PROCESSES).args(["--rounds", rounds]).args(runs.args()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        names.push(runs.newest().0.to_str().unwrap().to_owned());
    }
    let [one, other, short] = &names[..] else { panic!("three runs") };
    let agree = |a: &str, b: &str| tare(&["agree", a, b]).output().unwrap();

    let output = agree(one, other);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("cells have nothing in common") && told.contains("ratios of the reference to itself"),
        "{told}"
    );
    // On a busy machine they may not agree, which is an answer too.
    assert!(matches!(output.status.code(), Some(0 | 1)));

    let itself = agree(one, one);
    assert_eq!(itself.status.code(), Some(2));
    assert!(stderr(&itself).contains("name another"), "{}", stderr(&itself));
    let few = agree(one, short);
    assert_eq!(few.status.code(), Some(2));
    assert!(stderr(&few).contains("six rounds"), "{}", stderr(&few));
}
