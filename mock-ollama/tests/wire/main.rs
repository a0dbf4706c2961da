//! The wire, rule by rule: the checklist of `docs/wire.md`, and the captures of the real server's HTTP layer.
//!
//! Everything runs on an engine whose clock is moved by hand: no socket, no waiting.
//!
//! | file | what |
//! | --- | --- |
//! | `bench` | an engine with the scripted models, asked as a client asks |
//! | `captures` | every capture, in any order |
//! | `mask` | what a comparison with a capture leaves out |
//! | `counters` | counters that hold together |
//! | `w_*` | the checklist: each test carries the number of its rule |

mod bench;
mod captures;
mod counters;
mod mask;
mod w_answers;
mod w_compat;
mod w_json;
mod w_native;
mod w_transport;
