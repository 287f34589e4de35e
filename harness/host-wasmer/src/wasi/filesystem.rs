//! `wasi:filesystem`: there is none. A component that was built to use one is told that it has no directory; what it could
//! do with the descriptor of a file it cannot come to do.

use super::io::IoError;
use super::table::{Interface, Table};
use crate::abi::{Own, variant};

/// An open file or directory; there is none.
#[derive(Debug)]
pub enum Descriptor {}

/// The entries of a directory; there are none.
#[derive(Debug)]
pub enum DirectoryEntryStream {}

variant! {
    /// Why an operation on a file failed: that no error is one of a file is all that is said here.
    pub enum ErrorCode {
        /// The first of the interface's cases.
        Access,
        /// The second; the others are as far away.
        WouldBlock,
    }
}

/// Whether a function works on descriptors, which nobody has. Whatever its types are, it can only be called with a handle
/// that is not there.
pub fn is_out_of_reach(interface: &str, name: &str) -> bool {
    let of_descriptors = ["[method]descriptor.", "[method]directory-entry-stream."];
    interface == "wasi:filesystem/types@0.2" && of_descriptors.iter().any(|prefix| name.starts_with(prefix))
}

/// Adds the interfaces.
pub fn add(table: &mut Table) {
    Interface::new("wasi:filesystem/preopens@0.2", table)
        .function("get-directories", |_, ()| Ok(Vec::<(Own<Descriptor>, String)>::new()));
    Interface::new("wasi:filesystem/types@0.2", table)
        .resource::<Descriptor>()
        .resource::<DirectoryEntryStream>()
        .function("filesystem-error-code", |state, (error,)| {
            state.handles.get::<IoError>(error)?;
            Ok(None::<ErrorCode>)
        });
}
