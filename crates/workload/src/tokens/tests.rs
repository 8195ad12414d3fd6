use proptest::prelude::*;
use schema::plan::Size;

use super::*;

#[test]
fn characters_are_weighed_by_their_script() {
    assert_eq!(estimate_tokens(""), 0);
    assert_eq!(estimate_tokens("a"), 1);
    assert_eq!(estimate_tokens("eight ch"), 2);
    assert_eq!(estimate_tokens("река"), 2);
    assert_eq!(estimate_tokens("港口位于"), 4);
    assert_eq!(estimate_tokens("🚢"), 1);
}

/// Counted with SmolLM2's own tokenizer (`tokenizers` 0.23, no special tokens): all short prompts
/// together, all medium ones, all long ones.
#[test]
fn english_prose_is_overestimated_by_a_fifth_at_most() {
    for (size, counted) in [(Size::Short, 667.0), (Size::Medium, 4_583.0), (Size::Long, 20_801.0)] {
        let estimate: u64 = crate::builtin::set(size).iter().map(|prompt| estimate_tokens(&prompt.user)).sum();
        let ratio = estimate as f64 / counted;
        assert!((1.0..1.2).contains(&ratio), "{size}: {ratio}");
    }
}

#[test]
fn a_prompt_counts_its_system_message_and_template() {
    let prompt = Prompt { system: Some("x".repeat(40)), ..Prompt::of("y".repeat(20)) };
    assert_eq!(estimate_prompt_tokens(&prompt), 12 + 10 + 5);
    assert_eq!(
        estimate_prompt_tokens(&Prompt { tokens: Some(3), ..prompt }),
        12 + 3,
        "counted is better than estimated"
    );
}

proptest! {
    #[test]
    fn more_text_is_never_fewer_tokens(one in "\\PC{0,50}", two in "\\PC{0,50}") {
        let (one_tokens, both) = (estimate_tokens(&one), estimate_tokens(&format!("{one}{two}")));
        prop_assert!(both >= one_tokens);
        prop_assert!(both <= one_tokens + estimate_tokens(&two));
    }
}
