//! Reports from files that are made by hand: nothing is measured.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{root, stderr, tare};

/// The most columns of a line that is no table.
const WIDTH: usize = 100;

const SERVICE: &str = r#"
summary = "says hello to whoever asks for it, and to all others who do not, in as many words as the list has room for"
[[step]]
name = "hello"
method = "GET"
path = "/"
expect = { status = 200 }
weight = 1
probe = true

[implementation.a]
image = "a"
"#;

/// A checkout with one service, and a place for runs.
struct Checkout(TempDir);

impl Checkout {
    fn new() -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(checkout.path("harness/runner")).unwrap();
        checkout.write("services/hello/service.toml", SERVICE);
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn tare(&self, args: &[&str]) -> Command {
        let mut command = tare(args);
        command.current_dir(self.0.path());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.tare(args).output().unwrap()
    }

    /// A run of so many rounds in which a cold start takes about so many milliseconds, with its record changed by `change`.
    fn add_run(&self, name: &str, (rounds, milliseconds): (u32, f64), change: impl Fn(&mut Value)) {
        let seed = std::fs::read(root().join("fuzz/seeds/record/small.json")).unwrap();
        let mut record: Value = serde_json::from_slice(&seed).unwrap();
        record["run"] = name.into();
        change(&mut record);
        self.write(&format!("results/{name}/run.json"), &record.to_string());
        let mut rows =
            "run,round,position,service,implementation,platform,variant,metric,phase,at,unit,value\n".to_owned();
        for round in 1..=rounds {
            let nanoseconds = milliseconds * 1e6 * (1.0 + 0.01 * f64::from(round % 3));
            let row = [name, &round.to_string(), "1,auth,rust,native,process,startup_cold,total,,ns"].join(",");
            rows.extend([row, format!(",{nanoseconds}\n")]);
        }
        self.write(&format!("results/{name}/samples.csv"), &rows);
    }
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn assert_narrow(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= WIDTH, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn against_another_run_there_is_json_and_an_exit_status() {
    let checkout = Checkout::new();
    checkout.add_run("a", (6, 100.0), |_| {});
    checkout.add_run("b", (6, 200.0), |_| {});
    checkout.add_run("short", (3, 200.0), |_| {});
    let against = |run: &str, other: &str, more: &[&str]| {
        let output = checkout.run(&[&["report", run, "--against", other], more].concat());
        (output.status.code(), output)
    };
    let (code, output) = against("b", "a", &["--json"]);
    assert_eq!(code, Some(0), "{}", stderr(&output));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let cell = &json["against"]["cells"][0];
    assert_eq!((&json["against"]["other"], &cell["verdict"]), (&"a".into(), &"regressed".into()), "{cell}");
    assert_eq!((&cell["metric"], &cell["ratio"]), (&"startup_cold".into(), &2.0.into()), "{cell}");
    assert!(cell["from"]["ci_high"].as_f64() < cell["to"]["ci_low"].as_f64(), "{cell}");
    // Without another run there is nothing of it.
    let alone: Value = serde_json::from_slice(&checkout.run(&["report", "b", "--json"]).stdout).unwrap();
    assert_eq!(alone.get("against"), None);

    let (code, output) = against("b", "a", &["--fail-beyond", "5"]);
    assert_eq!(code, Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("worse: auth/native/process startup_cold total"), "{}", stderr(&output));
    assert!(text(&output).contains("2.00× worse"), "{}", text(&output));
    for (run, other, percent) in [("b", "a", "150"), ("a", "b", "5"), ("a", "a", "0")] {
        let (code, output) = against(run, other, &["--json", "--fail-beyond", percent]);
        assert_eq!(code, Some(0), "{run} {other}: {}", stderr(&output));
    }
    let (code, output) = against("short", "a", &["--fail-beyond", "5"]);
    assert_eq!(code, Some(2), "nothing can be told, which is no good answer");
    assert!(stderr(&output).contains("six rounds"), "{}", stderr(&output));
    assert!(text(&checkout.run(&["report", "--help"])).contains("--fail-beyond <PERCENT>"));
}

#[test]
fn what_a_later_version_wrote_costs_no_more_than_itself() {
    let checkout = Checkout::new();
    checkout.add_run("later", (6, 100.0), |record| {
        record["state"] = "paused".into();
        record["plan"]["only"] = serde_json::json!(["startup", "energy"]);
    });
    let samples = checkout.path("results/later/samples.csv");
    let rows =
        std::fs::read_to_string(&samples).unwrap() + "later,1,1,auth,rust,native,process,energy,total,,joules,3\n";
    std::fs::write(&samples, rows).unwrap();
    let output = checkout.run(&["report", "later"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (table, told) = (text(&output), stderr(&output));
    assert!(table.contains("in a state that this version does not know"), "{table}");
    for unknown in
        ["run.json: the state `paused`", "run.json: the family of metrics `energy`", "samples.csv: the metric `energy`"]
    {
        assert!(table.contains(unknown), "{unknown}: {table}");
    }
    assert!(told.contains("warning: ") && told.contains("`energy`"), "{told}");
    assert_narrow(&told);
}

#[test]
fn where_everything_failed_only_why_is_said_and_where_the_logs_are() {
    let checkout = Checkout::new();
    let log = "target/tare/logs/auth-native-process.log";
    checkout.write(log, "it said this");
    checkout.add_run("failed", (0, 0.0), |record| {
        record["started"] = "2020-01-01T00:00:00Z".into();
        let failed = |subject: &Value| {
            let mut cell = subject.clone();
            cell["reason"] = "request `hello` was not answered rightly".into();
            cell["round"] = 1.into();
            cell
        };
        record["failed"] = record["plan"]["subjects"].as_array().unwrap().iter().map(failed).collect();
    });
    let samples = checkout.path("results/failed/samples.csv");
    let size = "failed,0,0,auth,rust,native,process,size,artifact,,bytes,1200000\n";
    std::fs::write(&samples, std::fs::read_to_string(&samples).unwrap() + size).unwrap();
    let output = checkout.run(&["report", "failed"]);
    let (table, told) = (text(&output), stderr(&output));
    assert!(table.starts_with("Every subject failed") && table.contains("What to do"), "{table}");
    assert_eq!((table.matches("was not answered rightly").count(), table.matches("size").count()), (1, 0), "{table}");
    assert!(told.contains("logs of what failed: target/tare/logs\n"), "{told}");
    // A later run has written over it.
    let later = SystemTime::now() + Duration::from_mins(1);
    std::fs::File::options().write(true).open(checkout.path(log)).unwrap().set_modified(later).unwrap();
    assert!(!stderr(&checkout.run(&["report", "failed"])).contains("logs of what failed"));
}

#[test]
fn a_wrong_name_in_the_claims_is_told_with_its_line() {
    let checkout = Checkout::new();
    checkout.add_run("a", (6, 100.0), |_| {});
    let claim =
        "[[claim]]\nid = \"it\"\nclaim = \"b\"\nfigure = \"c\"\nmetrics = [\"startup_cold\"]\nat_most = \"1 s\"\n";
    checkout.write("claims.toml", &format!("{claim}usual = {{ of = \"native/proces\" }}\n"));
    let told = "claims.toml, line 7: there is no variant `native/proces`; the nearest name is `native/process`";
    let table = text(&checkout.run(&["report", "a"]));
    assert!(table.contains(told), "{table}");
    // What is there and was not measured is no mistake.
    checkout.write("claims.toml", &format!("{claim}services = [\"hello\"]\nusual = {{ of = \"docker/debian\" }}\n"));
    let table = text(&checkout.run(&["report", "a"]));
    assert!(!table.contains("there is no"), "{table}");
}

#[test]
fn a_report_into_a_file_is_as_wide_as_ever_whatever_the_terminal() {
    let checkout = Checkout::new();
    checkout.add_run("a", (6, 100.0), |_| {});
    let file = checkout.path("report.txt");
    // The terminal of everything but standard output is a narrow one.
    let program = env!("CARGO_BIN_EXE_tare");
    let command = format!("stty cols 60; exec {program} report a > {}", file.display());
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-c", &command, "/dev/null"]).current_dir(checkout.0.path());
    let output = script.stdin(Stdio::null()).output().expect("`script`, of util-linux, makes a terminal");
    assert!(output.status.success(), "{}", text(&output));
    let report = std::fs::read_to_string(&file).unwrap();
    assert_narrow(&report);
    let widest = report.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest > 80, "{report}");
    let piped = text(&checkout.run(&["report", "a"]));
    assert_eq!(report, piped);
}

#[test]
fn a_broken_service_stops_neither_the_list_nor_the_others() {
    let checkout = Checkout::new();
    checkout.write("services/typo/service.toml", &SERVICE.replace("weight", "wieght"));
    let output = checkout.run(&["list"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(text(&output).contains("  hello ") && text(&output).contains("startup_cold"), "{}", text(&output));
    assert!(
        stderr(&output).contains("`typo` is left out") && stderr(&output).contains("wieght"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn no_line_of_the_list_or_the_doctor_is_wider_than_promised_whatever_the_names() {
    let checkout = Checkout::new();
    let name = "n".repeat(64);
    let long = SERVICE.replace("[implementation.a]", &format!("[implementation.{name}]"));
    checkout.write(&format!("services/{name}/service.toml"), &long);
    let list = checkout.run(&["list"]);
    assert!(text(&list).contains(&name), "{}", stderr(&list));
    assert_narrow(&text(&list));
    let folder = checkout.path(&format!("services/{name}"));
    let doctor = checkout.run(&["doctor", "--service", folder.to_str().unwrap()]);
    assert!(text(&doctor).contains(&name), "{}", stderr(&doctor));
    // A path or a name may be one long word, and is broken.
    assert_narrow(&text(&doctor));
    // A service that cannot be used is named, with all of its path.
    checkout.write(&format!("services/{}/service.toml", "x".repeat(90)), SERVICE);
    let list = checkout.run(&["list"]);
    assert!(stderr(&list).starts_with("warning: "), "{}", stderr(&list));
    assert_narrow(&stderr(&list));
}
