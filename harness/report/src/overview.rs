//! The figures that decide, as bars: what can be seen before anything is read.

use tare_model::{RunRecord, Sample, Subject};
use tare_stats::{median, sums};

use crate::catalogue::{ENTRIES, Entry};
use crate::charts::LOG_FROM;
use crate::content::Style;
use crate::format::Scale;
use crate::layout::{TableCell, TextColumn, heading, table};
use crate::paint::{DIM, PLAIN, Piece};
use crate::subjects::Service;

/// The length of the longest bar, in columns.
const LONGEST: usize = 12;

/// A bar for each subject of a service that is to be chosen from and each figure of which something was measured; `None`
/// where there is none.
pub(crate) fn overview(record: &RunRecord, samples: &[Sample], service: &Service, style: Style) -> Option<String> {
    let is_choice = |subject: &&Subject| !record.is_control(subject);
    let subjects: Vec<Subject> = service.subjects.iter().filter(is_choice).cloned().collect();
    let entries = ENTRIES.iter().filter(|entry| entry.overview);
    let columns: Vec<TextColumn> = entries.filter_map(|entry| column(samples, &subjects, entry)).collect();
    let labels: Vec<Piece> = subjects.iter().map(|subject| Piece::new(service.label(subject), PLAIN)).collect();
    let heading = heading(&format!("Overview of {}", service.heading()), style);
    let bars = || table(&labels, &columns, style.width, style.colour);
    (!columns.is_empty()).then(|| format!("{heading}\n{}", bars()))
}

fn column(samples: &[Sample], subjects: &[Subject], entry: &Entry) -> Option<TextColumn> {
    let metrics = entry.sum();
    let value = |subject: &Subject| {
        let rounds = sums(samples, subject, &metrics);
        median(&rounds.into_values().collect::<Vec<_>>()).filter(|value| *value > 0.0)
    };
    let values: Vec<Option<f64>> = subjects.iter().map(value).collect();
    let found = || values.iter().flatten().copied();
    let (least, most) = (found().reduce(f64::min)?, found().reduce(f64::max)?);
    let scale = Scale::of(entry.metric.unit, least);
    // As on the page.
    let log = most / least > LOG_FROM;
    let cells = values.iter().map(|value| match value {
        Some(value) => {
            let share = if log { share_by_ratio(*value, least, most) } else { value / most };
            TableCell::Figures([
                Piece::new(scale.number(*value), PLAIN),
                Piece::new(bar(share), PLAIN),
                Piece::default(),
                Piece::default(),
                Piece::default(),
            ])
        }
        None => TableCell::Whole(vec![Piece::new("–", DIM)]),
    });
    let title = if log { format!("{}, log scale", scale.name) } else { scale.name.into() };
    Some(TextColumn { section: entry.name.into(), title, cells: cells.collect() })
}

/// The smallest value has a twelfth of the length, so that it is seen.
fn share_by_ratio(value: f64, least: f64, most: f64) -> f64 {
    let shortest = 1.0 / LONGEST as f64;
    shortest + (1.0 - shortest) * (value / least).ln() / (most / least).ln()
}

/// A bar in eighths of a column; the shortest is one.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the length")]
    let eighths = ((share.clamp(0.0, 1.0) * LONGEST as f64 * 8.0).round() as usize).max(1);
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(bar(1.0), "█".repeat(LONGEST));
        assert_eq!(bar(0.5), "█".repeat(LONGEST / 2));
        assert_eq!([bar(0.0), bar(0.03)], ["▏", "▍"]);
        assert!((share_by_ratio(10.0, 1.0, 100.0) - f64::midpoint(1.0, 1.0 / 12.0)).abs() < 1e-12);
    }
}
