//! One subject measured: its scenario verified, loads put on it, memory read, several instances beside each other. Knows
//! targets and not what is behind them, and nothing of the run around it.

mod again;
pub mod density;
pub mod drive;
pub mod measure;
mod memory;
pub mod mix;
pub mod sweep;
pub mod verify;
pub mod window;
