//! The right to the machine: one measurement, build or cleaning at a time.

use std::time::Duration;

use anyhow::{Result, bail};
use tare_runner::sys::lock::MachineLock;

use crate::screen::say;

/// How often it is looked whether another one has ended.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes it; waits for who has it, and says so.
///
/// # Errors
/// It cannot be taken.
pub async fn take() -> Result<MachineLock> {
    let mut told = false;
    loop {
        match MachineLock::try_take()? {
            Ok(lock) => return Ok(lock),
            Err(holder) if !told => {
                say(&format!(
                    "{holder} measures or builds on this machine, and both would tell wrong figures: waiting for it to end \
                     (Ctrl-C gives up)"
                ));
                told = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Takes it at once.
///
/// # Errors
/// It cannot be taken, or somebody has it.
pub fn take_now() -> Result<MachineLock> {
    match MachineLock::try_take()? {
        Ok(lock) => Ok(lock),
        Err(holder) => {
            bail!("{holder} measures or builds here, and uses what would be removed: try again when it has ended")
        }
    }
}
