//! What was tried from inside of each setting, and what came of it.

use std::collections::BTreeMap;

use tare_model::{Deed, IsolationCheck, Outcome, RunRecord};

use crate::conditions::list;
use crate::layout::{Content, TextColumn, table};
use crate::paint::{BAD, BOLD, DIM, PLAIN, Piece, painted};
use crate::terminal::Style;

/// The settings that were probed, in the order of the record.
pub(crate) fn settings(record: &RunRecord) -> Vec<&str> {
    let mut settings: Vec<&str> = record.isolation.iter().map(|check| check.setting.as_str()).collect();
    settings.dedup();
    settings
}

/// Each deed as a heading has it.
pub(crate) fn title(deed: Deed) -> &'static str {
    match deed {
        Deed::ReadFile => "file",
        Deed::SeeEnvironment => "variable",
        Deed::Connect => "loopback",
        Deed::WriteRoot => "root",
        Deed::GainPrivileges => "privileges",
        Deed::ExceedTasks => "threads",
        Deed::ExceedMemory => "memory",
    }
}

/// The cell of an outcome, and what it means.
pub(crate) fn shown(outcome: Outcome) -> (Piece, &'static str) {
    let (word, style, says) = match outcome {
        Outcome::Held => ("held", PLAIN, "tried from inside, and prevented as the setting claims"),
        Outcome::Broken => ("BROKEN", BAD, "done, though the setting claims to prevent it"),
        Outcome::Open => ("open", DIM, "done; the setting does not claim to prevent it"),
        Outcome::Closed => ("closed", DIM, "not done, though the setting does not claim to prevent it"),
        Outcome::Void => ("void", DIM, "shows nothing on this machine"),
    };
    (Piece::new(word, style), says)
}

/// A line per setting, a column per deed; below it what the words mean and what a plain process shows. Nothing where nothing
/// was probed.
pub(crate) fn isolation(record: &RunRecord, style: Style) -> Option<String> {
    let checks = &record.isolation;
    let settings = settings(record);
    if settings.is_empty() {
        return None;
    }
    let cell = |setting: &str, deed: Deed| {
        let found = checks.iter().find(|check| check.setting == setting && check.deed == deed);
        Content::Whole(vec![found.map_or_else(|| Piece::new("–", DIM), |check| shown(check.outcome).0)])
    };
    let columns: Vec<TextColumn> = Deed::ALL
        .iter()
        .map(|&deed| TextColumn {
            section: "what an intruder tried from inside".into(),
            title: title(deed).into(),
            cells: settings.iter().map(|setting| cell(setting, deed)).collect(),
        })
        .collect();
    let labels: Vec<Piece> = settings.iter().map(|setting| Piece::new(*setting, PLAIN)).collect();
    let heading = painted("Isolation", BOLD, style.colour);
    let table = table(&labels, &columns, style.width, style.colour);
    Some(format!("{heading}\n\n{table}\n{}", list("What was tried", &explained(record), style)))
}

/// The deeds, the words that were shown, and the reasons that a reader must know.
pub(crate) fn explained(record: &RunRecord) -> Vec<(String, String)> {
    let checks = &record.isolation;
    let deeds = "read a file of the host; see a variable of the harness's environment; reach a service on the host's \
                 loopback (127.0.0.1); write to the root folder; be root, have capabilities or gain them; run more threads \
                 and use more memory than allowed";
    let loopback = "a container on a bridge has a loopback of its own, but still reaches other addresses; a component is \
                    granted no sockets at all";
    let mut entries = vec![
        ("tried".to_owned(), deeds.to_owned()),
        ("loopback".to_owned(), loopback.to_owned()),
        ("control".to_owned(), control(record)),
    ];
    let mut outcomes: Vec<Outcome> = checks.iter().map(|check| check.outcome).collect();
    outcomes.sort_unstable();
    outcomes.dedup();
    for outcome in outcomes {
        let (word, says) = shown(outcome);
        let reasons = reasons(checks.iter().filter(|check| check.outcome == outcome));
        let needs_reasons = matches!(outcome, Outcome::Broken | Outcome::Void);
        let says = if needs_reasons { format!("{says}: {}", reasons.join("; ")) } else { says.to_owned() };
        entries.push((word.text, says));
    }
    entries
}

/// How deeds went, with the deeds and the settings of which that is said.
fn reasons<'a>(checks: impl Iterator<Item = &'a IsolationCheck>) -> Vec<String> {
    let mut by_deed: BTreeMap<(Deed, &str), Vec<&str>> = BTreeMap::new();
    for check in checks {
        by_deed.entry((check.deed, &check.detail)).or_default().push(&check.setting);
    }
    let mut groups: Vec<(Vec<&str>, Vec<&str>, &str)> = Vec::new();
    for ((deed, detail), settings) in by_deed {
        match groups.iter_mut().find(|(_, of, how)| (of, *how) == (&settings, detail)) {
            Some((deeds, ..)) => deeds.push(title(deed)),
            None => groups.push((vec![title(deed)], settings, detail)),
        }
    }
    let text = |(deeds, settings, detail): (Vec<&str>, Vec<&str>, &str)| {
        format!("{} of {} ({detail})", deeds.join(", "), settings.join(", "))
    };
    groups.into_iter().map(text).collect()
}

/// What the plain process shows: that an attempt that is not prevented is seen to succeed.
fn control(record: &RunRecord) -> String {
    let reference = &record.plan.reference;
    let of_reference: Vec<_> = record.isolation.iter().filter(|check| check.setting == *reference).collect();
    let done = of_reference.iter().filter(|check| check.outcome == Outcome::Open).count();
    match of_reference.len() {
        0 => format!("{reference} was not probed: that an attempt could succeed at all was not shown"),
        all if done == all => format!("{reference}, which nothing isolates, did all {all}: the probes can tell"),
        all => format!("{reference}, which nothing isolates, did {done} of {all}: the probes can tell for these only"),
    }
}
