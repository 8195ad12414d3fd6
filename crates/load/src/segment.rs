//! A share of a schedule.

/// Segment `index` of `of`: of a schedule's slots it holds those whose position `k` has
/// `k mod of = index`. All `of` segments together are exactly the whole schedule, so workers need
/// not talk to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct Segment {
    index: u32,
    of: u32,
}

impl Segment {
    /// The whole schedule.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Segment `index` of `of`, counted from zero; `None` when there is no such segment.
    pub const fn new(index: u32, of: u32) -> Option<Self> {
        if index < of { Some(Self { index, of }) } else { None }
    }

    /// All segments of a schedule shared by `of` workers.
    pub fn all(of: u32) -> impl ExactSizeIterator<Item = Self> + Clone {
        (0..of).map(move |index| Self { index, of })
    }

    /// Its number, from zero.
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    pub const fn of(self) -> u32 {
        self.of
    }

    /// Whether the slot at `position` of a schedule, or the stream of that number, is this segment's.
    pub const fn holds(self, position: u64) -> bool {
        position % self.of as u64 == self.index as u64
    }

    /// How many of a schedule's first `total` slots are this segment's.
    pub const fn share(self, total: u64) -> u64 {
        let (index, of) = (self.index as u64, self.of as u64);
        total / of + if index < total % of { 1 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_one_of_its_number() {
        assert_eq!(Segment::new(0, 1), Some(Segment::WHOLE));
        assert_eq!(Segment::new(1, 1), None);
        assert_eq!(Segment::new(0, 0), None);
        assert_eq!(Segment::all(3).map(Segment::index).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(Segment::all(3).all(|segment| segment.of() == 3));
    }
}
