//! Claims that circulate, as data: what is said, and what would make it true on this machine; and `claims.csv`.

use std::io::Write;

use serde::{Deserialize, Serialize};

use crate::cells::RowWriter;
use crate::{Metric, Unit, VariantId};

/// A file of claims.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The claims, in the order in which they are judged and shown.
    pub claim: Vec<Claim>,
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Its name in files.
    pub id: String,
    /// What is said.
    pub claim: String,
    /// The figure as it circulates.
    pub figure: String,
    /// How it is read, where its words leave that open.
    pub reading: Option<String>,
    /// The metrics that are added up, by name; those that a subject does not have add nothing.
    pub metrics: Vec<String>,
    /// The phase of each; its headline where nothing is said.
    pub phase: Option<String>,
    /// The claim holds from here on: a value with its unit, or a plain number for a ratio.
    pub at_least: Option<Bound>,
    /// The claim holds up to here.
    pub at_most: Option<Bound>,
    /// The services that it is judged on; all where none is named.
    #[serde(default)]
    pub services: Vec<String>,
    /// What is usually shipped.
    pub usual: Case,
    /// What can be had at best, for both sides.
    pub best: Option<Case>,
}

/// What a claim is judged on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A variant, or several: of these the first that a service has.
    pub of: Variants,
    /// Others that its value is divided by, round by round.
    pub over: Option<Variants>,
}

/// A variant, or several in order of preference; written as one text or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "OneOrMore")]
pub struct Variants(pub Vec<VariantId>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(VariantId),
    More(Vec<VariantId>),
}

impl From<OneOrMore> for Variants {
    fn from(written: OneOrMore) -> Self {
        match written {
            OneOrMore::One(id) => Self(vec![id]),
            OneOrMore::More(ids) => Self(ids),
        }
    }
}

impl From<VariantId> for Variants {
    fn from(id: VariantId) -> Self {
        Self(vec![id])
    }
}

impl std::fmt::Display for Variants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<String> = self.0.iter().map(VariantId::to_string).collect();
        f.write_str(&names.join(" or "))
    }
}

/// An end of the range in which a claim holds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Bound {
    /// In the unit of files: bytes, nanoseconds, requests per second; or a ratio.
    pub value: f64,
    /// `None` for a ratio.
    pub unit: Option<Unit>,
}

/// The units that bounds may be written in.
const UNITS: &[(&str, Unit, f64)] = &[
    ("B", Unit::Bytes, 1.0),
    ("kB", Unit::Bytes, 1e3),
    ("MB", Unit::Bytes, 1e6),
    ("GB", Unit::Bytes, 1e9),
    ("ns", Unit::Nanoseconds, 1.0),
    ("us", Unit::Nanoseconds, 1e3),
    ("ms", Unit::Nanoseconds, 1e6),
    ("s", Unit::Nanoseconds, 1e9),
    ("requests/s", Unit::RequestsPerSecond, 1.0),
];

impl TryFrom<String> for Bound {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (number, unit) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let value: f64 =
            number.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0).ok_or_else(|| {
                format!("`{text}` does not begin with a number that can be compared, like `200 MB` or `0.05`")
            })?;
        if unit.is_empty() {
            return Ok(Self { value, unit: None });
        }
        let known = UNITS.iter().find(|(name, ..)| *name == unit);
        let (_, unit, factor) = known.ok_or_else(|| {
            let names: Vec<&str> = UNITS.iter().map(|(name, ..)| *name).collect();
            format!("`{unit}` in `{text}` is no unit; there are {}, and none for a ratio", names.join(", "))
        })?;
        Ok(Self { value: value * factor, unit: Some(*unit) })
    }
}

impl Claims {
    /// Checks what the form of the file does not: metrics, bounds and units.
    ///
    /// # Errors
    /// The first claim that cannot be judged, by its id, with what is wrong.
    pub fn check(&self) -> Result<(), String> {
        for claim in &self.claim {
            claim.check().map_err(|what| format!("the claim `{}` cannot be judged: {what}", claim.id))?;
        }
        let twice = self.claim.iter().find(|claim| self.claim.iter().filter(|other| other.id == claim.id).count() > 1);
        twice.map_or(Ok(()), |claim| Err(format!("there are two claims `{}`; ids are for one each", claim.id)))
    }
}

impl Claim {
    /// The metrics that are added up.
    pub fn measured(&self) -> Vec<&'static Metric> {
        self.metrics.iter().filter_map(|name| Metric::by_name(name)).collect()
    }

    /// The unit of what it is judged on; `None` for a ratio.
    pub fn unit(&self) -> Option<Unit> {
        if self.usual.over.is_some() { None } else { self.measured().first().map(|metric| metric.unit) }
    }

    fn check(&self) -> Result<(), String> {
        if let Some(name) = self.metrics.iter().find(|name| Metric::by_name(name).is_none()) {
            return Err(format!("there is no metric `{name}`; `tare list` names them"));
        }
        let measured = self.measured();
        let Some(first) = measured.first() else { return Err("it names no metric".into()) };
        if let Some(metric) = measured.iter().find(|metric| self.phase.is_none() && metric.headline.is_none()) {
            return Err(format!("`{}` has no one figure that stands for it; name a `phase`", metric.name));
        }
        let cases = [Some(&self.usual), self.best.as_ref()].into_iter().flatten();
        if cases.flat_map(|case| [Some(&case.of), case.over.as_ref()]).flatten().any(|named| named.0.is_empty()) {
            return Err("a list of variants in it is empty".into());
        }
        if measured.iter().any(|metric| metric.unit != first.unit) {
            return Err("its metrics have different units, and cannot be added up".into());
        }
        if self.best.as_ref().is_some_and(|best| best.over.is_some() != self.usual.over.is_some()) {
            return Err("`usual` and `best` must both have `over`, or neither".into());
        }
        let bounds: Vec<&Bound> = self.at_least.iter().chain(&self.at_most).collect();
        if bounds.is_empty() {
            return Err("it has neither `at_least` nor `at_most`".into());
        }
        if bounds.iter().any(|bound| bound.unit != self.unit()) {
            let wanted =
                self.unit().map_or("a plain number, as it is a ratio".into(), |unit| format!("in a unit of {unit}"));
            return Err(format!("its bounds must be {wanted}"));
        }
        if let (Some(least), Some(most)) = (self.at_least, self.at_most)
            && least.value > most.value
        {
            return Err("`at_least` is more than `at_most`".into());
        }
        Ok(())
    }
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The whole interval lies where the claim says.
    #[serde(rename = "holds")]
    Holds,
    /// The whole interval lies elsewhere.
    #[serde(rename = "does not hold")]
    DoesNotHold,
    /// The interval lies on both sides of a bound, or there is none.
    #[serde(rename = "undecided")]
    Undecided,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does not hold",
            Self::Undecided => "undecided",
        })
    }
}

/// A row of `claims.csv`: a claim judged on one case of one service. Values are in the unit of files, or ratios.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimRow {
    /// The claim's id.
    pub id: String,
    /// What is said.
    pub claim: String,
    /// The figure as it circulates.
    pub figure: String,
    /// The median of the case; empty where it was not measured.
    pub measured: Option<f64>,
    /// Lower end of its 95 % interval.
    pub ci_low: Option<f64>,
    /// Upper end.
    pub ci_high: Option<f64>,
    /// What became of the claim here.
    pub verdict: Verdict,
    /// The case (`usual` or `best`), the subjects, and why nothing could be told, if so.
    pub conditions: String,
}

/// Writes a whole `claims.csv`.
pub fn write_claims(writer: impl Write, rows: &[ClaimRow]) -> Result<(), csv::Error> {
    let mut csv = RowWriter::new(writer);
    rows.iter().try_for_each(|row| csv.write(row))?;
    csv.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_have_units_or_are_ratios() {
        let bound = |text: &str| Bound::try_from(text.to_owned());
        assert_eq!(bound("200 MB"), Ok(Bound { value: 2e8, unit: Some(Unit::Bytes) }));
        assert_eq!(bound("1 s"), Ok(Bound { value: 1e9, unit: Some(Unit::Nanoseconds) }));
        assert_eq!(bound("0.05"), Ok(Bound { value: 0.05, unit: None }));
        assert!(bound("5 MiB").unwrap_err().contains("there are B, kB, MB"));
        for wrong in ["", "MB", "-1", "NaN", "many MB"] {
            assert!(bound(wrong).unwrap_err().contains("number"), "{wrong}");
        }
    }

    fn claim() -> Claim {
        Claim {
            id: "size".into(),
            claim: "small".into(),
            figure: "5 MB".into(),
            reading: None,
            metrics: vec!["size".into()],
            phase: None,
            at_least: None,
            at_most: Some(Bound { value: 5e6, unit: Some(Unit::Bytes) }),
            services: Vec::new(),
            usual: Case { of: VariantId::new("wasmtime", "aot").into(), over: None },
            best: None,
        }
    }

    #[test]
    fn no_text_of_a_claim_is_a_formula_in_the_file() {
        let row = ClaimRow {
            id: "=1+1".into(),
            claim: "@SUM(A1)".into(),
            figure: "-5 %, or less".into(),
            measured: Some(-1.5),
            ci_low: None,
            ci_high: None,
            verdict: Verdict::Undecided,
            conditions: "usual: auth/docker/debian".into(),
        };
        let mut bytes = Vec::new();
        write_claims(&mut bytes, &[row]).unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap(), @r#"
        id,claim,figure,measured,ci_low,ci_high,verdict,conditions
        '=1+1,'@SUM(A1),"'-5 %, or less",-1.5,,,undecided,usual: auth/docker/debian
        "#);
    }

    #[test]
    fn a_claim_that_cannot_be_judged_is_named_with_the_reason() {
        let check = |claim: Claim| Claims { claim: vec![claim] }.check().unwrap_err();
        assert_eq!(Claims { claim: vec![claim()] }.check(), Ok(()));
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        for (wrong, told) in [
            (Claim { metrics: names(&["weight"]), ..claim() }, "there is no metric `weight`"),
            (Claim { metrics: Vec::new(), ..claim() }, "names no metric"),
            (Claim { metrics: names(&["size", "throughput"]), ..claim() }, "different units"),
            (Claim { at_most: None, ..claim() }, "neither"),
            (Claim { at_most: Some(Bound { value: 1.0, unit: None }), ..claim() }, "in a unit of bytes"),
            (Claim { at_least: Some(Bound { value: 6e6, unit: Some(Unit::Bytes) }), ..claim() }, "more than `at_most`"),
            (
                Claim {
                    best: Some(Case {
                        of: VariantId::new("a", "b").into(),
                        over: Some(VariantId::new("c", "d").into()),
                    }),
                    ..claim()
                },
                "both have `over`",
            ),
        ] {
            let error = check(wrong);
            assert!(error.contains("the claim `size`") && error.contains(told), "{error}");
        }
        let twice = Claims { claim: vec![claim(), claim()] }.check().unwrap_err();
        assert!(twice.contains("two claims `size`"), "{twice}");
    }
}
