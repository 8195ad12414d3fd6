//! Token counts before anything was sent.

use schema::plan::Prompt;

/// Roughly how many tokens `text` is, for cost estimates and nothing else: results use the counts
/// that came with the answer.
///
/// Every tokenizer cuts differently, so this counts characters: four of ASCII to a token, two of
/// other alphabets, one of Chinese, Japanese, Korean and pictures. Against the tokenizers of SmolLM2,
/// Mistral 7B and Tekken it says 9 to 20 % too much for English prose, 6 to 35 % too little for
/// source code and configuration, and for other languages anything from half to one and a half times
/// the true number.
pub fn estimate_tokens(text: &str) -> u64 {
    let quarters: u64 = text
        .chars()
        .map(|c| match c {
            '\0'..='\x7f' => 1,
            '\u{2E80}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{10000}'.. => 4,
            _ => 2,
        })
        .sum();
    quarters.div_ceil(4)
}

/// Tokens of a prompt's first message, [estimated](estimate_tokens) where they were not counted, with the dozen that a
/// chat template adds.
pub fn estimate_prompt_tokens(prompt: &Prompt) -> u64 {
    const TEMPLATE: u64 = 12;
    let estimated = || prompt.system.as_deref().map_or(0, estimate_tokens) + estimate_tokens(&prompt.user);
    TEMPLATE + prompt.tokens.map_or_else(estimated, u64::from)
}

#[cfg(test)]
mod tests;
