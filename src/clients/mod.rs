//! HTTP clients and the agent loop that reads through them.
//!
//! - [`Client`], [`ResponseBody`]: what the agent loop asks of an HTTP stack
//! - `reqwest`: reqwest on its own tokio runtime
//! - `hyper_futures`: hyper over any runtime's sockets, through the small trait `Net`
//! - `bridged`: reqwest on a foreign executor
//! - [`Agent`]: the one agent loop, neutral of runtime and client
//! - [`AgentClock`], [`Executor`]: the clock that agents run on, and what it asks of an executor
//! - [`Reading`]: how the bytes of a body become lines

mod agent;
#[cfg(feature = "client-bridged")]
mod bridged;
mod clock;
mod contract;
mod error;
mod hyper_futures;
mod reading;
#[cfg(any(feature = "runtime-tokio-default", feature = "runtime-tokio-localset", feature = "client-bridged"))]
mod reqwest;

pub use agent::{Agent, MAX_BODY_BYTES, MAX_ERROR_BODY_BYTES};
#[cfg(feature = "client-bridged")]
pub use bridged::Bridged;
pub use clock::{AgentClock, AgentEvent, Executor};
pub use contract::{AgentRequest, Client, ClientResponse, Endpoint, ResponseBody};
pub use error::{Cause, ClientError};
pub use hyper_futures::{Connection, Hyper, Net};
pub use reading::{Reading, Strict};
#[cfg(any(feature = "runtime-tokio-default", feature = "runtime-tokio-localset", feature = "client-bridged"))]
pub use reqwest::Reqwest;
