//! `wasi:random`: from the system's own generator, also where insecure values would do.

use bytes::Bytes;

use super::table::{Interface, Table};
use crate::abi::Trap;

/// The most random bytes that one call returns: what the other host allows.
const MOST: u64 = 64 * 1024 * 1024;

/// Adds the interfaces.
pub fn add(table: &mut Table) {
    Interface::new("wasi:random/random@0.2", table)
        .function("get-random-bytes", |_, (length,)| bytes(length))
        .function("get-random-u64", |_, ()| number());
    Interface::new("wasi:random/insecure@0.2", table)
        .function("get-insecure-random-bytes", |_, (length,)| bytes(length))
        .function("get-insecure-random-u64", |_, ()| number());
    Interface::new("wasi:random/insecure-seed@0.2", table)
        .function("insecure-seed", |_, ()| Ok((number()?, number()?)));
}

fn bytes(length: u64) -> Result<Bytes, Trap> {
    let too_many = || Trap::misuse(format!("{length} random bytes are asked for, and {MOST} may be"));
    let count = usize::try_from(length).ok().filter(|_| length <= MOST).ok_or_else(too_many)?;
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).map_err(broken)?;
    Ok(bytes.into())
}

fn number() -> Result<u64, Trap> {
    getrandom::u64().map_err(broken)
}

fn broken(error: getrandom::Error) -> Trap {
    Trap::misuse(format!("the system gives no random bytes: {error}"))
}
