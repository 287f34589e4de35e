//! The subcommands, a file each.

pub mod agree;
pub mod build;
pub mod clean;
pub mod compare;
pub mod doctor;
pub mod init;
pub mod list;
pub mod pack;
pub mod report;
