//! Embeddings in their three forms: `/api/embed`, `/api/embeddings` and `/v1/embeddings`.

mod reply;
mod request;

pub use reply::{embed_reply, embeddings_reply, openai_embeddings_reply, unit_vector};
pub use request::EmbedRequest;
