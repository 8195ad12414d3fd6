//! A prefix cache: which beginnings of prompts an engine has read before, block by block.

use std::collections::{BTreeMap, HashMap};

/// Tokens of a block; only whole blocks are cached (vLLM's default).
const BLOCK: usize = 16;

/// The blocks of a prompt, each with everything before it in its hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    hashes: Vec<u64>,
    /// Tokens seen so far, and the hash of them all.
    tokens: usize,
    chain: u64,
}

impl Blocks {
    /// No tokens yet; prompts of different salt share nothing.
    pub(crate) fn new(salt: &str) -> Self {
        Self { hashes: Vec::new(), tokens: 0, chain: fold(0xcbf2_9ce4_8422_2325, salt.as_bytes()) }
    }

    /// Adds a token.
    pub(crate) fn push(&mut self, token: u32) {
        self.chain = fold(self.chain, &token.to_le_bytes());
        self.tokens += 1;
        if self.tokens.is_multiple_of(BLOCK) {
            self.hashes.push(self.chain);
        }
    }
}

/// FNV-1a, with its bits stirred once more.
fn fold(hash: u64, bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    hash ^ (hash >> 29)
}

/// The blocks in the cache; when it is full, the one used longest ago makes room.
#[derive(Debug)]
pub(crate) struct PrefixCache {
    room: usize,
    /// When each block was last used.
    used: HashMap<u64, u64>,
    by_use: BTreeMap<u64, u64>,
    clock: u64,
}

impl PrefixCache {
    /// An empty cache with room for so many tokens.
    pub(crate) fn new(tokens: u64) -> Self {
        let room = usize::try_from(tokens).unwrap_or(usize::MAX) / BLOCK;
        Self { room, used: HashMap::new(), by_use: BTreeMap::new(), clock: 0 }
    }

    /// Takes a prompt in: how many of its first tokens were there already. Its last token is always read anew.
    pub(crate) fn read(&mut self, prompt: &Blocks) -> u32 {
        let found = prompt.hashes.iter().take_while(|hash| self.used.contains_key(hash)).count();
        for hash in &prompt.hashes {
            self.touch(*hash);
        }
        let reusable = prompt.tokens.saturating_sub(1) / BLOCK;
        u32::try_from(found.min(reusable) * BLOCK).unwrap_or(u32::MAX)
    }

    fn touch(&mut self, hash: u64) {
        self.clock += 1;
        if let Some(before) = self.used.insert(hash, self.clock) {
            self.by_use.remove(&before);
        }
        self.by_use.insert(self.clock, hash);
        while self.used.len() > self.room {
            let Some((_, oldest)) = self.by_use.pop_first() else { return };
            self.used.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(salt: &str, tokens: std::ops::Range<u32>) -> Blocks {
        let mut blocks = Blocks::new(salt);
        tokens.for_each(|token| blocks.push(token));
        blocks
    }

    #[test]
    fn the_beginning_two_prompts_share_is_read_once() {
        let mut cache = PrefixCache::new(1_000);
        assert_eq!(cache.read(&prompt("", 0..40)), 0);
        assert_eq!(cache.read(&prompt("", 0..40)), 32);
        assert_eq!(cache.read(&prompt("", 0..90)), 32);
        assert_eq!(cache.read(&prompt("", 1..41)), 0);
        assert_eq!(cache.read(&prompt("other", 0..40)), 0);
    }

    #[test]
    fn the_last_token_is_always_read() {
        let mut cache = PrefixCache::new(1_000);
        cache.read(&prompt("", 0..32));
        assert_eq!(cache.read(&prompt("", 0..32)), 16);
    }

    #[test]
    fn a_full_cache_forgets_what_was_used_longest_ago() {
        let mut cache = PrefixCache::new(64);
        cache.read(&prompt("a", 0..33));
        cache.read(&prompt("b", 0..33));
        cache.read(&prompt("a", 0..33));
        cache.read(&prompt("c", 0..33));
        assert_eq!(cache.used.len(), 4);
        assert_eq!(cache.read(&prompt("a", 0..33)), 32);
        assert_eq!(cache.read(&prompt("b", 0..33)), 0);
    }
}
