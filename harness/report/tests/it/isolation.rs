//! The sections on isolation and portability.

use tare_model::{ArtifactRecord, IsolationCheck, Outcome, RunRecord, SubjectRecord, Violation};

use crate::example::record;
use crate::terminal::NARROW;
use crate::terminal::shown;

fn checks(variant: &str, claimed: &[Violation], outcome: impl Fn(Violation) -> Outcome) -> Vec<IsolationCheck> {
    let check = |&violation: &Violation| {
        let (variant, claimed, outcome) = (variant.parse().unwrap(), claimed.contains(&violation), outcome(violation));
        let detail = if outcome == Outcome::Void { "a plain process is not root either" } else { "as it went" };
        IsolationCheck { variant, violation, claimed, outcome, detail: detail.into() }
    };
    Violation::ALL.iter().map(check).collect()
}

fn section<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let begin = text.find(from).unwrap();
    text[begin..].split(to).next().unwrap()
}

#[test]
fn what_each_variant_prevented_is_a_word_each() {
    let mut record = record(&["orders/native/process", "orders/wasmtime/aot"]);
    record.isolation = checks("native/process", &[], |_| Outcome::Open);
    record.isolation.extend(checks("wasmtime/jit-unoptimised", Violation::ALL, |_| Outcome::Held));
    record.isolation.extend(checks("docker/scratch", &Violation::ALL[3..], |violation| match violation {
        Violation::Connect => Outcome::Open,
        Violation::WriteRoot => Outcome::Broken,
        _ => Outcome::Held,
    }));
    let text = shown(&record, &[], NARROW);
    insta::assert_snapshot!(section(&text, "Isolation\n", "\nConditions"), @r"
    Isolation

                              what a probe tried from inside ──────────────────────────────
                              file  variable  loopback  root    privileges  threads  memory
    native/process            open  open      open      open    open        open     open
    wasmtime/jit-unoptimised  held  held      held      held    held        held     held
    docker/scratch            held  held      open      BROKEN  held        held     held

    What was tried
      tried     read a file of the host; see a variable of the harness's environment; reach a service on
                the host's loopback (127.0.0.1); write to the root folder; be root, have capabilities or
                gain them; run more threads and use more memory than allowed
      loopback  a container on a bridge has a loopback of its own, but still reaches other addresses; a
                component is granted no sockets at all
      control   native/process, which nothing isolates, did all 7: the probes can tell
      held      tried from inside, and prevented as the variant claims
      BROKEN    done, though the variant claims to prevent it: root of docker/scratch (as it went)
      open      done; the variant does not claim to prevent it
    ");
}

#[test]
fn what_shows_nothing_says_why_once() {
    let mut record = record(&["orders/native/process"]);
    let void = |violation| match violation {
        Violation::GainPrivileges | Violation::ExceedMemory => Outcome::Void,
        _ => Outcome::Held,
    };
    record.isolation = checks("wasmtime/aot", Violation::ALL, void);
    record.isolation.extend(checks("wasmer/aot", Violation::ALL, void));
    let text = shown(&record, &[], NARROW);
    insta::assert_snapshot!(section(&text, "What was tried\n", "\nConditions"), @r"
    What was tried
      tried     read a file of the host; see a variable of the harness's environment; reach a service on
                the host's loopback (127.0.0.1); write to the root folder; be root, have capabilities or
                gain them; run more threads and use more memory than allowed
      loopback  a component is granted no sockets at all
      control   no plain process was probed: that an attempt could succeed at all was not shown
      held      tried from inside, and prevented as the variant claims
      void      shows nothing on this machine: privileges, memory of wasmtime/aot, wasmer/aot (a plain
                process is not root either)
    ");
    record.isolation.extend(checks("native/process", &[], |violation| match violation {
        Violation::GainPrivileges => Outcome::Void,
        _ => Outcome::Open,
    }));
    let text = shown(&record, &[], NARROW);
    insta::assert_snapshot!(section(&text, "native/process, which", "\n  held"), @"native/process, which nothing isolates, did 6 of 7: the probes can tell for these only");
}

#[test]
fn where_the_same_component_ran_is_told_with_its_digest() {
    let mut record: RunRecord = record(&["orders/native/process"]);
    let subject = |name: &str, digit: char, simd: &str| SubjectRecord {
        subject: name.parse().unwrap(),
        artifacts: vec![ArtifactRecord {
            kind: "component".into(),
            name: "target/orders.wasm".into(),
            bytes: 462_000,
            sha256: digit.to_string().repeat(64),
        }],
        settings: [("simd".to_owned(), simd.to_owned())].into(),
        grants: Vec::new(),
    };
    record.subjects = vec![
        subject("orders/wasmer/singlepass", 'b', "no"),
        subject("orders/wasmtime/aot", 'a', "yes"),
        subject("orders/wasmer/aot", 'a', "yes"),
        subject("orders/wasmtime/direct", 'c', "yes"),
    ];
    let text = shown(&record, &[], NARROW);
    insta::assert_snapshot!(section(&text, "Portability,", "\nConditions"), @r"
    Portability, by the bytes of components
      orders  one component on wasmtime, wasmer (sha256 aaaaaaaaaaaa): wasmtime/aot, wasmer/aot; other
              bytes (sha256 bbbbbbbbbbbb): wasmer/singlepass (without SIMD); other bytes (sha256
              cccccccccccc): wasmtime/direct (a control)
    ");
}
