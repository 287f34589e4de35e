//! Statistics over samples: pure functions that touch no clock, no disk, no process and no terminal.
//!
//! [`summarise`] turns the samples of a run into cells, each with its median over rounds and its ratio to the
//! reference, paired within rounds. A round is the unit of repetition: every subject is started afresh in it, so the
//! values of different rounds are independent as values within one process are not.
//!
//! # Which interval, and why
//!
//! Every interval of a summary is that of [`median_interval`]: between order statistics, chosen by the binomial
//! distribution and interpolated. It assumes next to nothing about the shape of the distribution, and its coverage is
//! right for every number of rounds, small ones above all. A bootstrap of the median is not there: resamples of seven
//! values have their medians among the same seven, and the percentile interval called 95 % covers 87.5 %; the
//! corrected one (`Bootstrap::bca`) moves between the same seven. The tests `a_bootstrapped_median_covers_less_than_it_says` and
//! `intervals_of_95_percent_cover_93_to_97_percent` measure both.
//!
//! Percentiles (of latency) are taken within a round, from all of its requests; the interval is that of their median over
//! rounds, so it needs no assumption about requests being independent.
//!
//! [`Bootstrap`] is for the statistics that have no exact interval: a mean, a slope, a correlation.
//!
//! With fewer than six rounds no 95 % interval of a median exists: even from the smallest to the largest value it
//! covers 1 - 2^(1-n), which is 93.75 % at five and 75 % at three. [`Estimate::interval`] is empty then, and
//! [`Estimate::range`] says what was seen.

mod agreement;
mod bootstrap;
mod change;
mod claims;
mod convergence;
mod derived;
mod effects;
mod median;
mod paired;
mod precision;
mod summarise;
mod summary;

pub use agreement::{Agreement, agreement};
pub use bootstrap::Bootstrap;
pub use change::{change, within, worse_by};
pub use claims::{Judged, JudgedCase, judge};
pub use convergence::Convergence;
pub use derived::with_derived;
pub use effects::{Effect, effects};
pub use median::{median, median_interval, quantile};
pub use paired::{Workload, paired_sums, sums, workloads};
pub use precision::{LEAST_ROUNDS, half_width, rounds_wanted};
pub use summarise::summarise;
pub use summary::{CONFIDENCE, Cell, Estimate, Reference, Summary};
