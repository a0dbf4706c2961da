//! Virtual time: every variant on its own executor, in memory and over sockets.

mod stage;
mod variants;
