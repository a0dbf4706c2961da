//! The executable, as its users run it.
//!
//! | module | what |
//! | --- | --- |
//! | [`limits`] | more clients than it may serve, and clients that do nothing |
//! | [`readme`] | every command of the README that begins with `mock-ollama` |
//! | [`serve`] | `serve`: its flags, its lines, its ends |
//! | [`streams`] | inputs that never end, outputs that cannot be written |
//! | [`verbs`] | the verbs that make and check recordings |

mod limits;
mod readme;
mod serve;
mod streams;
mod verbs;
