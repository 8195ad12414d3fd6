use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::*;

#[track_caller]
fn check(size: Size, count: usize, characters: RangeInclusive<usize>) {
    let prompts = set(size);
    assert_eq!(prompts.len(), count);
    for prompt in &prompts {
        let length = prompt.user.chars().count();
        assert!(characters.contains(&length), "{length} characters: {}", &prompt.user[..60]);
        assert_eq!(prompt.user.trim(), prompt.user);
    }
    let beginnings: HashSet<&str> = prompts.iter().map(|prompt| &prompt.user[..16]).collect();
    assert_eq!(beginnings.len(), count, "prompts that begin alike share a cache entry: {beginnings:?}");
}

#[test]
fn built_in_sets_have_their_documented_sizes() {
    check(Size::Short, 16, 185..=215);
    check(Size::Medium, 10, 2_000..=2_250);
    check(Size::Long, 5, 18_800..=19_000);
}

#[test]
fn a_long_prompt_holds_every_account_once_and_no_task_but_its_own() {
    for prompt in set(Size::Long) {
        for subject in SUBJECTS {
            let (task, account) = subject.text.split_once("\n\n").unwrap();
            assert_eq!(prompt.user.matches(account).count(), 1, "{}", subject.title);
            assert!(!prompt.user.contains(task), "{}", subject.title);
        }
    }
}
