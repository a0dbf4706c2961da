//! Virtual time: every variant on its own executor, in memory and over sockets.

mod model;
mod stage;
mod variants;
