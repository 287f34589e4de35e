//! What is shown of each metric, and where: the one list of which the terminal, Markdown and the page are made. To show a
//! metric: an entry in [`ENTRIES`].

mod entries;
mod kinds;
mod sections;

use tare_model::{Metric, MetricRecord};

pub(crate) use self::entries::ENTRIES;
use self::entries::NOT_SHOWN;
pub(crate) use self::kinds::{
    Along, Below, CellKind, Chart, ChartKind, Column, Heading, Part, Parts, Percentiles, Question,
};
pub(crate) use self::sections::{BASELINES, Section, TOPICS, Topic};

/// A metric in a phase, and everything that reports do with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub metric: &'static Metric,
    pub phase: &'static str,
    /// What is added to it where subjects are compared, in the same unit; a subject that has none of it has nothing to add.
    pub plus: Option<(&'static Metric, &'static str)>,
    /// The section of the tables that it is in.
    pub section: &'static Section,
    /// What it is called in running text, with what is added.
    pub name: &'static str,
    /// What it is, below the tables; `None` for what the record says of the metric.
    pub explanation: Option<&'static str>,
    /// Its column in the tables of the terminal and of the page.
    pub column: Option<Column>,
    /// What else the terminal has of it, below the tables.
    pub below: Option<Below>,
    /// The heading of its column in Markdown.
    pub markdown: Option<&'static str>,
    /// Whether the overview in the terminal has bars of it.
    pub overview: bool,
    /// The chart of its ratios between variants and their baselines. Where there is one, they stand in a list, too.
    pub baselines: Option<Heading>,
    /// What the answer asks of it.
    pub question: Option<Question>,
    /// Its charts on the page.
    pub charts: &'static [Chart],
}

impl Entry {
    /// The metrics and phases whose sum subjects are compared by.
    pub(crate) fn sum(&self) -> Vec<(&'static Metric, &'static str)> {
        std::iter::once((self.metric, self.phase)).chain(self.plus).collect()
    }

    /// What it is, in words.
    pub(crate) fn explained<'a>(&self, metrics: &'a [MetricRecord]) -> &'a str
    where
        Self: 'a,
    {
        let recorded = || metrics.iter().find(|metric| metric.name == self.metric.name);
        self.explanation.unwrap_or_else(|| recorded().map_or(self.metric.summary, |metric| &metric.summary))
    }

    /// Whether it takes no other value by chance: what is measured once.
    pub(crate) fn is_exact(&self) -> bool {
        self.metric.group.headline().is_none()
    }
}

/// The entries that have something, with it.
pub(crate) fn with<T>(of: impl Fn(&'static Entry) -> Option<T>) -> impl Iterator<Item = (&'static Entry, T)> {
    ENTRIES.iter().filter_map(move |entry| Some((entry, of(entry)?)))
}

/// Why no table and no chart has a metric; `None` for one that is shown.
pub(crate) fn not_shown(metric: &str) -> Option<&'static str> {
    NOT_SHOWN.iter().find(|(of, _)| of.name == metric).map(|(_, reason)| *reason)
}

/// Whether a metric has an entry, is a part of one, or is left out for a reason.
#[cfg(test)]
fn is_accounted_for(metric: &Metric) -> bool {
    let is_part = |chart: &Chart| match chart.kind {
        ChartKind::Parts(parts) => parts.within.iter().chain(parts.added).any(|(_, of, _)| *of == metric),
        _ => false,
    };
    let has = |entry: &Entry| {
        entry.metric == metric || entry.plus.is_some_and(|(of, _)| of == metric) || entry.charts.iter().any(is_part)
    };
    ENTRIES.iter().any(has) || not_shown(metric.name).is_some()
}

#[cfg(test)]
mod tests {
    use tare_model::METRICS;

    use super::*;

    #[test]
    fn every_metric_is_shown_or_left_out_for_a_reason() {
        for metric in METRICS {
            assert!(is_accounted_for(metric), "`{}` has no entry in ENTRIES, and no reason in NOT_SHOWN", metric.name);
        }
    }

    #[test]
    fn no_metric_is_both_shown_and_left_out() {
        for entry in ENTRIES {
            assert_eq!(not_shown(entry.metric.name), None, "`{}` has an entry", entry.metric.name);
        }
    }

    #[test]
    fn columns_of_a_section_stand_together() {
        let mut sections: Vec<&str> = with(|entry| entry.column).map(|(entry, _)| entry.section.name).collect();
        sections.dedup();
        let count = sections.len();
        sections.sort_unstable();
        sections.dedup();
        assert_eq!(sections.len(), count, "a section begins twice: {sections:?}");
    }

    #[test]
    fn charts_have_names_of_their_own() {
        let own = ENTRIES.iter().flat_map(|entry| entry.charts).map(|chart| chart.heading.name);
        let all = own.chain(with(|entry| entry.baselines).map(|(_, heading)| heading.name));
        let mut names: Vec<&str> = all.collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn what_is_added_has_the_same_unit() {
        for entry in ENTRIES {
            assert!(entry.sum().iter().all(|(metric, _)| metric.unit == entry.metric.unit), "{}", entry.name);
        }
    }
}
