//! Strings that keep prompt caches out.

use std::fmt::Write;

use schema::record::Phase;
use schema::target::TargetName;
use sha2::{Digest, Sha256};

/// A string that no other request shares, of 16 lower-case hexadecimal digits: put before a prompt it
/// makes the first tokens unique, and prefix caches miss. A pure function of its arguments.
///
/// `salt` must differ from run to run, or the second run meets what the first left in the cache: take
/// it from the run's id, not from the plan's seed.
pub fn nonce(salt: u64, target: &TargetName, phase: Phase, index: u64) -> String {
    let digest = Sha256::new()
        .chain_update(salt.to_le_bytes())
        .chain_update([phase as u8])
        .chain_update(index.to_le_bytes())
        .chain_update(target.as_str())
        .finalize();
    digest.iter().take(8).fold(String::with_capacity(16), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all that is written");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_request_has_a_nonce_of_its_own() {
        let mut seen = HashSet::new();
        for salt in [1, 2] {
            for target in ["a", "b"] {
                for phase in [Phase::Warmup, Phase::Measured] {
                    for index in 0..500 {
                        assert!(seen.insert(nonce(salt, &target.parse().unwrap(), phase, index)));
                    }
                }
            }
        }
    }

    #[test]
    fn a_nonce_is_sixteen_digits_and_stays_the_same() {
        let target = "vllm".parse().unwrap();
        let text = nonce(7, &target, Phase::Measured, 3);
        assert_eq!(text, nonce(7, &target, Phase::Measured, 3));
        assert!(text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit()), "{text}");
    }
}
