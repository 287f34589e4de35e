//! `wasi:config`: the settings granted.

use super::table::{Interface, Table};
use crate::abi::variant;

variant! {
    /// Why a setting could not be read. It always can.
    pub enum ConfigError {
        /// Where the settings come from has failed.
        Upstream(String),
        /// Reading failed.
        Io(String),
    }
}

/// Adds the interface.
pub fn add(table: &mut Table) {
    Interface::new("wasi:config/store@0.2.0-rc.1", table)
        .function("get", |state, (name,): (String,)| {
            Ok(Ok::<_, ConfigError>(state.context.grants.config(&name).map(str::to_owned)))
        })
        .function("get-all", |state, ()| {
            let pairs = state.context.grants.config_pairs();
            let owned = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            Ok(Ok::<Vec<(String, String)>, ConfigError>(owned.collect()))
        });
}
