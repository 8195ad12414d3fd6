//! Many numbers in order of size: digit by digit, which takes a time proportional to their number.

/// Bits of a digit.
const DIGIT: u32 = 11;

/// Fewer are sorted faster by comparing them.
const FEW: usize = 2_048;

/// Sorts by `key`; what has one key stays in its order.
pub(crate) fn sort_by_key<T: Copy>(items: &mut Vec<T>, key: impl Fn(T) -> u64) {
    if items.len() < FEW {
        items.sort_by_key(|item| key(*item));
        return;
    }
    let first = key(items[0]);
    let differing = items.iter().fold(0, |bits, item| bits | (key(*item) ^ first));
    let mut sorted = items.clone();
    for shift in (0..u64::BITS).step_by(DIGIT as usize) {
        let digit = |bits: u64| (bits >> shift & ((1 << DIGIT) - 1)) as usize;
        if digit(differing) == 0 {
            continue;
        }
        let mut places = places(items.iter().map(|item| digit(key(*item))));
        for item in &*items {
            let place = &mut places[digit(key(*item))];
            sorted[*place] = *item;
            *place += 1;
        }
        std::mem::swap(items, &mut sorted);
    }
}

/// Where the items with each digit begin.
fn places(digits: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut places = vec![0; 1 << DIGIT];
    digits.for_each(|digit| places[digit] += 1);
    let mut begin = 0;
    for place in &mut places {
        begin += std::mem::replace(place, begin);
    }
    places
}

/// The bits of `value` as a number that is larger where it is, by [`f64::total_cmp`].
pub(crate) const fn bits(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// The same values, ascending by [`f64::total_cmp`].
pub(crate) fn ascending(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sort_by_key(&mut sorted, bits);
    sorted
}

/// The values with their places, ascending; equal ones in order of their places.
pub(crate) fn with_places(values: impl IntoIterator<Item = f64>) -> Vec<(f64, u32)> {
    let mut sorted: Vec<(f64, u32)> = values.into_iter().zip(0..).collect();
    sort_by_key(&mut sorted, |(value, _)| bits(value));
    sorted
}

#[cfg(test)]
mod tests;
