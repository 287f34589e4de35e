//! What is being done and how long it still takes: a bar on a terminal, a line per step elsewhere.

use std::collections::HashSet;
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
    steps: Steps,
}

/// Tells steps from what goes on within each: hundreds of crates, which nobody reads in a log, and of several steps at once.
#[derive(Debug, Default)]
pub struct Steps {
    last: String,
    said: HashSet<String>,
}

impl Steps {
    /// Whether a message about a step, whose words are the beginning of it, begins that step.
    pub fn is_new(&mut self, step: &str, message: &str) -> bool {
        let first = self.said.insert(step.to_owned());
        let again = step == message && *step != self.last;
        step.clone_into(&mut self.last);
        first || again
    }
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
        Self { bar, steps: Steps::default() }
    }

    /// Shows a step.
    pub fn show(&mut self, progress: &Progress) {
        let Some(bar) = &self.bar else {
            // A build tells of each crate, and of several things that are built beside each other; a log has room for its steps
            // only.
            let step = progress.what.split(": ").take(2).collect::<Vec<_>>().join(": ");
            if self.steps.is_new(&step, &progress.what) {
                say(&format!("{step}{}", left(progress)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_told_of_each_step_once_however_they_are_mixed() {
        let mut steps = Steps::default();
        let messages = ["a", "b", "a: 1", "b: 1", "a: 2", "c", "b: 2"];
        let step = |message: &&'static str| message.split_once(": ").map_or(*message, |(step, _)| step);
        let told: Vec<&str> = messages.into_iter().filter(|message| steps.is_new(step(message), message)).collect();
        assert_eq!(told, ["a", "b", "c"]);
        assert!(steps.is_new("a", "a"), "what is begun once more is told once more");
        assert!(!steps.is_new("a", "a"));
    }
}
