//! The right name for a wrong one.

/// How many names are offered at most.
const OFFERED: usize = 3;

/// Below this similarity (0 to 1, Jaro-Winkler) a name is no help.
const SIMILAR: f64 = 0.7;

/// The names among `options` most like `wanted`, best first, at most three; in any case of letters.
pub(crate) fn nearest<'a>(wanted: &str, options: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = options
        .into_iter()
        .map(|option| (likeness(&wanted, &option.to_lowercase()), option))
        .filter(|(score, _)| *score >= SIMILAR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(OFFERED).map(|(_, option)| option).collect()
}

/// How alike two names in lower case are, 0 to 1. The part after the last `/` counts too, because people
/// leave the owner out, and one name inside the other is nearly the same.
fn likeness(wanted: &str, option: &str) -> f64 {
    let tail = option.rsplit('/').next().unwrap_or(option);
    let wanted_tail = wanted.rsplit('/').next().unwrap_or(wanted);
    let contained = if wanted.len() >= 3 && option.contains(wanted) { 0.95 } else { 0.0 };
    strsim::jaro_winkler(wanted, option).max(strsim::jaro_winkler(wanted_tail, tail)).max(contained)
}

/// The ids among `available` most like `wanted`, best first, at most three. Empty when none is near.
pub fn nearest_models(wanted: &str, available: &[String]) -> Vec<String> {
    nearest(wanted, available.iter().map(String::as_str)).into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &str, available: &[&str], expected: &[&str]) {
        let available: Vec<String> = available.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(nearest_models(wanted, &available), expected);
    }

    #[test]
    fn the_nearest_model_comes_first() {
        let served = ["openai/gpt-oss-20b", "openai/gpt-oss-120b", "qwen/qwen3.8-27b", "whisper-large-v3"];
        check("gpt-oss-120", &served, &["openai/gpt-oss-120b", "openai/gpt-oss-20b"]);
        check("GPT-OSS-120B", &served, &["openai/gpt-oss-120b", "openai/gpt-oss-20b"]);
        check("qwen3.8-72b", &served, &["qwen/qwen3.8-27b"]);
    }

    #[test]
    fn nothing_near_offers_nothing() {
        check("zzz", &["openai/gpt-oss-20b"], &[]);
        check("gpt", &[], &[]);
    }

    #[test]
    fn at_most_three_are_offered() {
        check(
            "llama3.2:1",
            &["llama3.2:1b", "llama3.2:3b", "llama3.1:8b", "llama3.3:70b"],
            &["llama3.2:1b", "llama3.2:3b", "llama3.1:8b"],
        );
    }
}
