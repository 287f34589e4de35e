//! Files of a later version under the same schema: a word in them that this version does not know costs what it stands for,
//! and not the run.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Arrivals, Better, Group, Outcome, Role, RunRecord, RunState, Side, Unit, Violation};

/// A word that this version does not know, as often as a file has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// What it names, such as `metric`.
    pub what: &'static str,
    /// The word.
    pub name: String,
    /// What became of it, such as `left out`.
    pub then: &'static str,
    /// How often it is there.
    pub count: usize,
}

/// The most characters of an unknown word that are shown.
const LONGEST_SHOWN: usize = 64;

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, name, then, count } = self;
        let shown: String = name.chars().take(LONGEST_SHOWN).flat_map(char::escape_debug).collect();
        let often = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        write!(f, "the {what} `{shown}` is not known to this version, and is {then} ({often})")
    }
}

/// Unknown words, counted.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<(&'static str, String, &'static str), usize>);

impl Tally {
    pub(crate) fn add(&mut self, what: &'static str, name: &str, then: &'static str) {
        *self.0.entry((what, name.to_owned(), then)).or_default() += 1;
    }

    pub(crate) fn unknown(self) -> Vec<Unknown> {
        self.0.into_iter().map(|((what, name, then), count)| Unknown { what, name, then, count }).collect()
    }
}

/// What leaves a file where it is not known.
pub(crate) const LEFT_OUT: &str = "left out";

/// What becomes of an unknown word in a record.
enum Then {
    /// The innermost list that it stands in goes without the entry that it is a part of.
    LeaveOut,
    /// This stands there instead.
    Put(&'static str, fn() -> Value),
}

/// A place of the record that has one of a set of words.
struct Place {
    /// The way to it: names of fields, and `*` for each entry of a list.
    way: &'static [&'static str],
    what: &'static str,
    is_known: fn(&str) -> bool,
    then: Then,
}

const fn place<T: DeserializeOwned>(what: &'static str, way: &'static [&'static str], then: Then) -> Place {
    Place { way, what, is_known: is_known::<T>, then }
}

const FAMILY: &str = "family of metrics";

/// Every place of the record that has one of a set of words.
const PLACES: &[Place] = &[
    place::<RunState>("state", &["state"], Then::Put("shown as such", || "unknown".into())),
    place::<Group>(FAMILY, &["plan", "only", "*"], Then::LeaveOut),
    place::<Arrivals>("arrivals", &["plan", "load", "arrivals"], Then::Put("shown as such", || "unknown".into())),
    place::<Side>("side", &["platforms", "*", "side"], Then::Put("taken for neither side", || Value::Null)),
    place::<Role>(
        "role",
        &["platforms", "*", "variants", "*", "role"],
        Then::Put("taken for a setting", || "setting".into()),
    ),
    place::<Group>(FAMILY, &["metrics", "*", "group"], Then::LeaveOut),
    place::<Unit>("unit", &["metrics", "*", "unit"], Then::LeaveOut),
    place::<Better>("direction", &["metrics", "*", "better"], Then::LeaveOut),
    place::<Group>(FAMILY, &["converged", "*", "group"], Then::LeaveOut),
    place::<Violation>("violation", &["isolation", "*", "violation"], Then::LeaveOut),
    place::<Outcome>("outcome", &["isolation", "*", "outcome"], Then::LeaveOut),
    place::<Group>(FAMILY, &["failed", "*", "group"], Then::LeaveOut),
    place::<Group>(FAMILY, &["unavailable", "*", "group"], Then::LeaveOut),
];

/// Whether a word is one of those that a type has.
pub(crate) fn is_known<T: DeserializeOwned>(word: &str) -> bool {
    serde_json::from_value::<T>(word.into()).is_ok()
}

/// Reads a record whose schema is this version's, and what in it this version does not know.
///
/// # Errors
/// It is no record.
pub fn read_record(mut json: Value) -> Result<(RunRecord, Vec<Unknown>), serde_json::Error> {
    let mut tally = Tally::default();
    for place in PLACES {
        place.sift(&mut json, place.way, &mut tally);
    }
    Ok((serde_json::from_value(json)?, tally.unknown()))
}

impl Place {
    /// Goes the rest of the way; returns whether what it has come through stays in its list.
    fn sift(&self, value: &mut Value, way: &[&str], tally: &mut Tally) -> bool {
        match way {
            [] => self.settle(value, tally),
            ["*", rest @ ..] => {
                if let Value::Array(entries) = value {
                    entries.retain_mut(|entry| self.sift(entry, rest, tally));
                }
                true
            }
            [field, rest @ ..] => value.get_mut(field).is_none_or(|inner| self.sift(inner, rest, tally)),
        }
    }

    fn settle(&self, value: &mut Value, tally: &mut Tally) -> bool {
        let Some(word) = value.as_str().filter(|word| !(self.is_known)(word)) else { return true };
        match self.then {
            Then::LeaveOut => {
                tally.add(self.what, word, LEFT_OUT);
                false
            }
            Then::Put(then, instead) => {
                tally.add(self.what, word, then);
                *value = instead();
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record with something at every place.
    fn record() -> Value {
        let mut record: Value = serde_json::from_str(include_str!("../../../fuzz/seeds/record/small.json")).unwrap();
        record["failed"][0]["group"] = "load".into();
        record
    }

    /// The ways to all texts in a value.
    fn texts(value: &Value, way: &str) -> Vec<String> {
        match value {
            Value::String(_) => vec![way.to_owned()],
            Value::Array(entries) => {
                entries.iter().enumerate().flat_map(|(place, inner)| texts(inner, &format!("{way}/{place}"))).collect()
            }
            Value::Object(fields) => fields
                .iter()
                .flat_map(|(name, inner)| texts(inner, &format!("{way}/{}", name.replace('/', "~1"))))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Whoever adds an enumeration to the record adds it to the places, too.
    #[test]
    fn no_word_of_a_later_version_costs_the_run() {
        let whole = record();
        assert_eq!(read_record(whole.clone()).unwrap().1, []);
        let ways = texts(&whole, "");
        assert!(ways.len() > 60, "{ways:?}");
        for way in ways {
            // A name, or a variant, where those are wanted.
            let read = ["unheard-of", "unheard/of"].map(|word| {
                let mut later = whole.clone();
                *later.pointer_mut(&way).unwrap() = word.into();
                read_record(later).map(|(_, unknown)| unknown)
            });
            assert!(read.iter().any(Result::is_ok), "{way}: {read:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_told_with_its_number_and_the_rest_stays() {
        let mut later = record();
        later["state"] = "paused".into();
        later["plan"]["only"] = serde_json::json!(["size", "energy", "startup", "energy"]);
        later["platforms"][0]["side"] = "unikernel".into();
        later["platforms"][0]["variants"][0]["role"] = "guess".into();
        later["metrics"][0]["unit"] = "joules\u{1b}".into();
        let (read, unknown) = read_record(later).unwrap();
        let (platform, variant) = (&read.platforms[0], &read.platforms[0].variants[0]);
        assert_eq!((read.state, platform.side, variant.role), (RunState::Unknown, None, Role::Setting));
        assert_eq!((read.plan.only, read.metrics.len()), (vec![Group::Size, Group::Startup], 0));
        let told: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        the family of metrics `energy` is not known to this version, and is left out (2 times)
        the role `guess` is not known to this version, and is taken for a setting (once)
        the side `unikernel` is not known to this version, and is taken for neither side (once)
        the state `paused` is not known to this version, and is shown as such (once)
        the unit `joules\u{1b}` is not known to this version, and is left out (once)
        ");
    }

    #[test]
    fn what_is_no_word_at_all_is_refused_as_before() {
        for (way, wrong) in [("state", Value::from(3)), ("plan", "all of it".into()), ("failed", Value::Null)] {
            let mut broken = record();
            broken[way] = wrong;
            assert!(read_record(broken).is_err(), "{way}");
        }
    }
}
