//! What is written is read by the runner, whatever it was made from.

mod described;
mod hostile;
mod read;
mod switched;
mod written;
