//! Models by name: the same one under other names, and how its weights are stored.

/// Parts of a name that say how weights are stored, as engines and hubs write them. Parts that begin with `q` and a
/// digit (`q4`, `q8`) are llama.cpp's, those with `iq` its newer ones, `w4a16` and the like compressed tensors'.
const STORAGES: &[&str] = &[
    "fp4", "fp8", "fp16", "fp32", "bf16", "f16", "f32", "nvfp4", "mxfp4", "mxfp8", "int4", "int8", "4bit", "8bit",
    "awq", "gptq", "bnb", "exl2", "nf4", "marlin",
];

/// What a model's name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Model {
    /// Which model, whoever serves it and however it is stored.
    pub(super) base: String,
    /// How its weights are stored, where the name says so.
    pub(super) storage: Option<String>,
}

impl Model {
    /// Reads `org/Some-Model-8B-Instruct-FP8` as `some-model-8b-instruct`, stored as `fp8`.
    pub(super) fn of(name: &str) -> Self {
        let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let name = name.strip_suffix(".gguf").unwrap_or(&name);
        let parts: Vec<&str> = name.split(['-', ':', '.', '@']).filter(|part| !part.is_empty()).collect();
        let (storage, base): (Vec<&str>, Vec<&str>) =
            parts.into_iter().filter(|part| *part != "gguf" && *part != "latest").partition(|part| is_storage(part));
        Self { base: base.join("-"), storage: (!storage.is_empty()).then(|| storage.join("-")) }
    }
}

fn is_storage(part: &str) -> bool {
    let digit_after =
        |prefix: &str| part.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    STORAGES.contains(&part)
        || digit_after("iq")
        || (digit_after("q") && part.len() <= 8)
        || (digit_after("w") && part[1..].contains('a') && part.len() <= 6)
}
