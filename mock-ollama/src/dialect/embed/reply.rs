//! Embeddings in their three forms (Ollama `server/routes.go`, `openai/openai.go`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::dialect::shared::MetricFields;
use crate::generation::Metrics;
use crate::go_json::to_string;
use crate::http::{JSON, Reply};

/// A vector of unit length, cut to `dimensions` where that is less than it has and then of unit length again
/// (`server/routes.go`, `normalize`).
pub fn unit_vector(mut vector: Vec<f32>, dimensions: Option<usize>) -> Vec<f32> {
    normalise(&mut vector);
    if let Some(dimensions) = dimensions.filter(|dimensions| (1..vector.len()).contains(dimensions)) {
        vector.truncate(dimensions);
        normalise(&mut vector);
    }
    vector
}

/// The sum is one of 32-bit floats, the root of 64.
fn normalise(vector: &mut [f32]) {
    let sum: f32 = vector.iter().map(|value| value * value).sum();
    #[expect(clippy::cast_possible_truncation, reason = "the real server rounds to 32 bits here")]
    let norm = (1.0 / f64::from(sum).sqrt().max(1e-12)) as f32;
    for value in vector {
        *value *= norm;
    }
}

/// The answer of `/api/embed`.
pub fn embed_reply(model: &str, embeddings: &[Vec<f32>], metrics: Metrics) -> Reply {
    #[derive(Serialize)]
    struct Body<'a> {
        model: &'a str,
        embeddings: &'a [Vec<f32>],
        #[serde(flatten)]
        metrics: MetricFields,
    }
    Reply::new(200, JSON, to_string(&Body { model, embeddings, metrics: metrics.into() }))
}

/// The answer of `/api/embeddings`, which widens each number to 64 bits.
pub fn embeddings_reply(embedding: &[f32]) -> Reply {
    #[derive(Serialize)]
    struct Body {
        embedding: Vec<f64>,
    }
    Reply::new(200, JSON, to_string(&Body { embedding: embedding.iter().copied().map(f64::from).collect() }))
}

/// The answer of `/v1/embeddings`; `base64` asks for little-endian 32-bit floats in that coding.
pub fn openai_embeddings_reply(model: &str, embeddings: &[Vec<f32>], tokens: u64, base64: bool) -> Reply {
    #[derive(Serialize)]
    struct Body<'a> {
        object: &'static str,
        data: Vec<Entry<'a>>,
        model: &'a str,
        usage: Usage,
    }
    #[derive(Serialize)]
    struct Entry<'a> {
        object: &'static str,
        embedding: Embedding<'a>,
        index: usize,
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Embedding<'a> {
        Floats(&'a [f32]),
        Coded(String),
    }
    #[derive(Serialize)]
    struct Usage {
        prompt_tokens: u64,
        total_tokens: u64,
    }
    let coded =
        |vector: &[f32]| STANDARD.encode(vector.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
    let data = embeddings.iter().enumerate().map(|(index, vector)| Entry {
        object: "embedding",
        embedding: if base64 { Embedding::Coded(coded(vector)) } else { Embedding::Floats(vector) },
        index,
    });
    let usage = Usage { prompt_tokens: tokens, total_tokens: tokens };
    let body = Body { object: "list", data: data.collect(), model, usage };
    Reply::wrapped(200, &to_string(&body))
}

#[cfg(test)]
mod tests {
    use super::{Metrics, embed_reply, embeddings_reply, openai_embeddings_reply, unit_vector};

    const VECTOR: [f32; 4] = [0.1, -0.2, 3e-8, 1.0];

    fn text(reply: super::Reply) -> String {
        String::from_utf8(reply.body).unwrap()
    }

    #[test]
    fn w_079_a_vector_has_unit_length_also_when_it_is_cut() {
        assert_eq!(
            text(embed_reply("m", &[unit_vector(VECTOR.to_vec(), None)], Metrics::default())),
            r#"{"model":"m","embeddings":[[0.097590014,-0.19518003,2.9277002e-8,0.9759001]]}"#
        );
        assert_eq!(
            text(embed_reply("m", &[unit_vector(VECTOR.to_vec(), Some(2))], Metrics::default())),
            r#"{"model":"m","embeddings":[[0.4472136,-0.8944272]]}"#
        );
    }

    #[test]
    fn the_older_route_widens_and_does_not_normalise() {
        assert_eq!(
            text(embeddings_reply(&VECTOR)),
            r#"{"embedding":[0.10000000149011612,-0.20000000298023224,2.999999892949745e-8,1]}"#
        );
    }

    #[test]
    fn w_098_base_64_holds_little_endian_floats() {
        let coded = text(openai_embeddings_reply("m", &[vec![1.0, -2.0]], 3, true));
        assert_eq!(
            coded,
            concat!(
                r#"{"object":"list","data":[{"object":"embedding","embedding":"AACAPwAAAMA=","index":0}],"#,
                r#""model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}"#,
                "\n"
            )
        );
    }
}
