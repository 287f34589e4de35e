//! The parts of a metric.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A named part of a metric, and where on its second dimension it was taken: `total` at 4 instances, `p99` at 1,200
/// requests/s.
#[derive(Debug, Clone)]
pub struct Phase {
    /// Its name: `total`, `idle`, `open_p99`.
    pub name: String,
    /// Instances, requests per second or milliseconds, as the metric says; `None` where there is no second dimension.
    /// Never NaN.
    pub at: Option<f64>,
}

impl Phase {
    /// A phase at a place of its second dimension.
    pub fn at(name: &str, at: f64) -> Self {
        Self { name: name.into(), at: Some(at) }
    }

    fn key(&self) -> (&str, Option<u64>) {
        (&self.name, self.at.map(f64::to_bits))
    }
}

impl From<&str> for Phase {
    fn from(name: &str) -> Self {
        Self { name: name.into(), at: None }
    }
}

impl From<String> for Phase {
    fn from(name: String) -> Self {
        Self { name, at: None }
    }
}

impl From<&Phase> for Phase {
    fn from(phase: &Phase) -> Self {
        phase.clone()
    }
}

impl PartialEq for Phase {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Phase {}

impl PartialEq<str> for Phase {
    fn eq(&self, name: &str) -> bool {
        self.at.is_none() && self.name == name
    }
}

impl PartialEq<&str> for Phase {
    fn eq(&self, name: &&str) -> bool {
        self == *name
    }
}

impl Hash for Phase {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{} at {at}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_its_name_unless_it_has_a_second_dimension() {
        assert_eq!(Phase::from("total"), "total");
        assert_ne!(Phase::at("total", 4.0), "total");
        assert_eq!(Phase::at("total", 4.0).to_string(), "total at 4");
    }
}
