//! The report as its reader sees it, from records made by hand.

mod against;
mod baselines;
#[expect(clippy::disallowed_methods, reason = "a browser is a process, and takes the page from a file")]
mod browser;
mod claims;
mod example;
mod failed;
mod foreign;
mod hostile;
mod isolation;
mod many;
mod markdown;
mod page;
mod platforms;
mod sweep;
mod terminal;
mod widths;
