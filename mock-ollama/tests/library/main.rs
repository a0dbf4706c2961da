//! The library over sockets, and what it reads.
//!
//! | module | what |
//! | --- | --- |
//! | [`reading`] | what is read out of real bodies |
//! | [`record`] | the recorder |
//! | [`recordings`] | recordings that are built in or lie in folders |
//! | [`seams`] | time sources, observers and own answers |
//! | [`server`] | builder, handle, journal and drop |

mod reading;
mod record;
mod recordings;
mod seams;
mod server;
