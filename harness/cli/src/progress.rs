//! What is being done and how long it still takes: a bar on a terminal, a line per step elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tare_report::printable;
use tare_runner::Progress;

use crate::screen::say;

/// Ticks of the bar: the share of the measuring in thousandths.
const TICKS: u64 = 1000;

/// Shows progress on standard error.
pub struct Display {
    /// Absent where standard error is no terminal.
    bar: Option<ProgressBar>,
    last: String,
}

impl Display {
    /// A display for the terminal that standard error is, or for the log that it is.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(TICKS);
            bar.set_style(spinner());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar, last: String::new() }
    }

    /// Shows a step.
    pub fn show(&mut self, progress: &Progress) {
        let Some(bar) = &self.bar else {
            // A build tells of each crate; a log has room for its steps only.
            let step = progress.what.split(": ").take(2).collect::<Vec<_>>().join(": ");
            if step != self.last {
                say(&format!("{step}{}", left(progress)));
                self.last = step;
            }
            return;
        };
        if let Some(measured) = progress.measured {
            bar.set_style(style());
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is between 0 and 1")]
            bar.set_position((measured.share * TICKS as f64) as u64);
        }
        bar.set_message(printable(&format!("{}{}", progress.what, left(progress))));
    }

    /// Takes the bar away.
    pub fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn left(progress: &Progress) -> String {
    let seconds = progress.measured.map(|measured| measured.left_s).filter(|seconds| seconds.is_finite());
    seconds.map_or_else(String::new, |seconds| {
        let rounded = Duration::from_secs_f64(seconds.max(0.0).ceil());
        format!(" ({} left)", humantime::format_duration(rounded))
    })
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {bar:30} {percent:>3} %  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
