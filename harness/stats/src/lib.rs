//! Statistics over samples: pure functions that touch no clock, no disk, no process and no terminal.
//!
//! [`summarise`] turns the samples of a run into cells, each with its median over rounds and its ratio to the
//! reference, paired within rounds. A round is the unit of repetition: every subject is started afresh in it, so the
//! values of different rounds are independent as values within one process are not.
//!
//! # Which interval, and why
//!
//! Every interval of a summary is the order-statistic interval of [`median_interval`]: between two of the measured
//! values, chosen by the binomial distribution. It assumes nothing about the shape of the distribution and its coverage
//! is known exactly for every number of rounds, small ones above all. A bootstrap of the median has neither property
//! there: resamples of seven values have their medians among the same seven, and the percentile interval called 95 %
//! covers 87.5 %. The test `a_bootstrapped_median_covers_less_than_it_says` measures both.
//!
//! [`Bootstrap`] is for the statistics that have no exact interval: a mean, a slope, a correlation.
//!
//! With fewer than six rounds no 95 % interval of a median exists: even from the smallest to the largest value it
//! covers 1 - 2^(1-n), which is 93.75 % at five and 75 % at three. [`Estimate::interval`] is empty then, and
//! [`Estimate::range`] says what was seen.

mod bootstrap;
mod median;
mod summarise;
mod summary;

pub use bootstrap::Bootstrap;
pub use median::{MedianInterval, median, median_interval, quantile};
pub use summarise::summarise;
pub use summary::{CONFIDENCE, Cell, Estimate, Reference, Summary};
