//! What is switched off can be switched on.

use tare_scaffold::Options;

use crate::read::{read, service};

/// The key of a line that sets something.
fn key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(" = ")?;
    key.chars().all(|char| char.is_ascii_alphanumeric() || "._".contains(char)).then_some(key)
}

/// The text with one line switched on, and the line of its table that sets the same switched off.
fn switched(lines: &[&str], at: usize) -> String {
    let on = lines[at].strip_prefix("# ").unwrap();
    let table = lines[..at].iter().rposition(|line| line.starts_with('[')).map_or(0, |at| at);
    let end = lines[at..].iter().position(|line| line.starts_with('[')).map_or(lines.len(), |end| at + end);
    let same = |index: usize, line: &str| (table..end).contains(&index) && key(line) == key(on);
    let switch = |(index, line): (usize, &&str)| match index {
        index if index == at => on.to_owned(),
        index if same(index, line) => format!("# {line}"),
        _ => (*line).to_owned(),
    };
    lines.iter().enumerate().map(switch).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_line_can_be_switched_on() {
    let named = Options {
        name: "shop",
        component: Some("a.wasm"),
        image: Some("a"),
        program: Some("./a"),
        ..Options::default()
    };
    for options in [Options { name: "shop", ..Options::default() }, named] {
        let (_, scaffold) = service(&options);
        let lines: Vec<&str> = scaffold.text.lines().collect();
        let steps = lines.iter().position(|line| line.starts_with("# [[step]]")).unwrap();
        let off = (0..steps).filter(|at| lines[*at].strip_prefix("# ").and_then(key).is_some_and(|key| key != "key"));
        let off: Vec<usize> = off.collect();
        assert!(off.len() > 15, "{off:?}");
        for at in off {
            let text = switched(&lines, at);
            assert_ne!(text.trim(), scaffold.text.trim());
            read(&text).unwrap_or_else(|error| panic!("{}: {error}", lines[at]));
        }
    }
}

#[test]
fn the_further_steps_can_be_switched_on_together() {
    let (_, scaffold) = service(&Options { name: "shop", ..Options::default() });
    let from = scaffold.text.find("# [[step]]").unwrap();
    let (before, steps) = scaffold.text.split_at(from);
    let is_on = |line: &&str| line.starts_with("# [[") || line.strip_prefix("# ").and_then(key).is_some();
    let steps: Vec<&str> = steps.lines().filter(is_on).map(|line| &line[2..]).collect();
    let service = read(&format!("{before}{}", steps.join("\n"))).unwrap();
    assert_eq!(service.scenario.steps.len(), 3);
}
