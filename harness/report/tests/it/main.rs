//! The report as its reader sees it, from records made by hand.

mod against;
mod browser;
mod claims;
mod example;
mod isolation;
mod ladder;
mod many;
mod markdown;
mod page;
mod settings;
mod terminal;
