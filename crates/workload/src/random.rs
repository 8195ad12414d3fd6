//! Numbers that look drawn and are pure functions of a seed.

/// What numbers are drawn for: each has a stream of its own, so that drawing more for one changes no other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    InputLength = 1,
    OutputLength,
    Text,
    FollowUps,
    Block,
    Prefix,
    OwnPrefix,
    GroupPrefix,
    Image,
    Sample,
    Memory,
}

/// Numbers for one purpose of one request: `SplitMix64` (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub(crate) struct Stream(u64);

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl Stream {
    pub(crate) const fn of(seed: u64, purpose: Purpose, number: u64) -> Self {
        Self(mix(seed ^ mix(number ^ mix(purpose as u64))))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        let drawn = mix(self.0);
        self.0 = self.0.wrapping_add(GAMMA);
        drawn
    }

    /// From [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.next() >> 11) as f64 * STEP
    }

    /// One of `items`, alike. Its bias is the number of items in 2⁶⁴.
    ///
    /// # Panics
    /// When there are none.
    pub(crate) fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[usize::try_from(self.below(items.len() as u64)).expect("it is below a length")]
    }

    /// A number below `count`, alike; 0 below nothing. Its bias is `count` in 2⁶⁴.
    pub(crate) const fn below(&mut self, count: u64) -> u64 {
        ((self.next() as u128 * count as u128) >> 64) as u64
    }
}

/// Scatters the bits of `x`: the output function of `SplitMix64`.
pub(crate) const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(GAMMA);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_purpose_and_number() {
        let first = |seed, purpose, number| Stream::of(seed, purpose, number).next();
        let drawn = [
            first(1, Purpose::Text, 1),
            first(2, Purpose::Text, 1),
            first(1, Purpose::Block, 1),
            first(1, Purpose::Text, 2),
        ];
        let distinct: std::collections::HashSet<_> = drawn.into_iter().collect();
        assert_eq!(distinct.len(), 4);
        assert_eq!(first(1, Purpose::Text, 1), drawn[0]);
    }

    /// Expected 1,000 times each; five standard deviations are 150.
    #[test]
    fn each_item_is_drawn_equally_often() {
        let (mut stream, items) = (Stream::of(7, Purpose::Sample, 0), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let mut counts = [0_i32; 10];
        for _ in 0..10_000 {
            counts[*stream.one_of(&items)] += 1;
            assert!((0.0..1.0).contains(&stream.unit()));
        }
        assert!(counts.iter().all(|count| (count - 1_000).abs() < 150), "{counts:?}");
    }
}
