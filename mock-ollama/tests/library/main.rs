//! The library over sockets, and what it reads.
//!
//! | module | what |
//! | --- | --- |
//! | [`conversation`] | a journal read as a conversation |
//! | [`public_surface`] | the names on the front page of the documentation |
//! | [`reading`] | what is read out of real bodies |
//! | [`record`] | the recorder |
//! | [`recordings`] | recordings that are built in or lie in folders |
//! | [`seams`] | time sources, observers and own answers |
//! | [`server`] | builder, handle, journal and drop |
//! | [`waits`] | waits for what a server reaches |

mod conversation;
mod public_surface;
mod reading;
mod record;
mod recordings;
mod rules;
mod seams;
mod server;
mod waits;
