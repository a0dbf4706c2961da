//! The model that a request names (`types/model/name.go`, `internal/modelref`).

use super::{Refusal, RefusedBy};
use crate::go_json::{Json, fmt, parse};
use crate::models::ModelName;

/// What a suffix of a model's name asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Local,
    Cloud,
}

/// Whether this names a cloud model, and nothing but that.
pub(crate) fn is_cloud(model: &str) -> bool {
    let (base, source) = split(model.trim());
    source == Some(Source::Cloud) && split(base).1.is_none()
}

/// Whether the body of a request names a cloud model, which is looked at before anything else.
pub(crate) fn names_cloud(body: &[u8]) -> bool {
    let Json::Object(fields) = parse(body) else { return false };
    let model = fields.iter().rev().find(|field| field.key == "model");
    matches!(model.map(|field| &field.value), Some(Json::Text(model)) if is_cloud(model))
}

/// A cloud model is refused, with the native envelope on every route.
pub(crate) fn cloud_refused(what: &str) -> Refusal {
    Refusal { status: 403, text: format!("ollama cloud is disabled: {what} unavailable"), by: RefusedBy::Cloud }
}

/// The canonical name of the local model that is asked for.
pub(crate) fn local(model: &str) -> Result<ModelName, Refusal> {
    let model = model.trim();
    let (base, source) = split(model);
    if source.is_some() && split(base).1.is_some() {
        let name = fmt::quote(model);
        return Err(Refusal::by_handler(400, format!("use either :local or :cloud, not both: {name}")));
    }
    let name = ModelName::parse(base).ok_or_else(|| Refusal::by_handler(400, "invalid model name"))?;
    if source == Some(Source::Cloud) {
        return Err(cloud_refused("remote model is"));
    }
    Ok(name)
}

/// Takes the suffix off that says where a model runs.
fn split(model: &str) -> (&str, Option<Source>) {
    let Some((base, tag)) = model.rsplit_once(':') else { return (model, None) };
    let lower = tag.trim().to_ascii_lowercase();
    match lower.as_str() {
        "local" => (base, Some(Source::Local)),
        "cloud" => (base, Some(Source::Cloud)),
        _ if lower.ends_with("-cloud") && !lower.contains('/') => {
            (&model[..model.trim_end().len() - "-cloud".len()], Some(Source::Cloud))
        }
        _ => (model, None),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{is_cloud, local};

    #[rstest]
    #[case("llama:local", "llama:latest")]
    #[case(" llama:7b:LOCAL ", "llama:7b")]
    #[case("my-cloud", "my-cloud:latest")]
    fn a_local_suffix_does_not_count_for_the_lookup(#[case] model: &str, #[case] name: &str) {
        assert_eq!(local(model).unwrap().as_str(), name);
        assert!(!is_cloud(model));
    }

    #[rstest]
    #[case("x:cloud", 403, "ollama cloud is disabled: remote model is unavailable")]
    #[case("x:7b-cloud", 403, "ollama cloud is disabled: remote model is unavailable")]
    #[case("x:cloud:local", 400, r#"use either :local or :cloud, not both: "x:cloud:local""#)]
    #[case("x:7b-cloud:local", 400, r#"use either :local or :cloud, not both: "x:7b-cloud:local""#)]
    #[case("bad name!", 400, "invalid model name")]
    fn a_name_is_refused(#[case] model: &str, #[case] status: u16, #[case] text: &str) {
        let refusal = local(model).unwrap_err();
        assert_eq!((refusal.status, refusal.text.as_str()), (status, text));
        assert_eq!(is_cloud(model), status == 403);
    }
}
