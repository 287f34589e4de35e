//! Components read and compared with what the hosts provide.

mod inspected;
mod told;
