//! Keeping the most important items of many in bounded memory, whatever order they come in.

use std::collections::BinaryHeap;

/// The `limit` smallest of all items pushed, and how many there were. The order of `T` must be total
/// and put the most important first: then what is kept does not depend on the timing of threads.
pub(crate) struct Ranked<T> {
    limit: usize,
    kept: BinaryHeap<T>,
    total: u64,
}

impl<T: Ord> Ranked<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, kept: BinaryHeap::new(), total: 0 }
    }

    pub(crate) fn push(&mut self, item: T) {
        self.total += 1;
        self.keep(item);
    }

    fn keep(&mut self, item: T) {
        if self.kept.len() < self.limit {
            self.kept.push(item);
        } else if let Some(mut last) = self.kept.peek_mut()
            && item < *last
        {
            *last = item;
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.total += other.total;
        for item in other.kept {
            self.keep(item);
        }
    }

    /// How many items there were, kept or not.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The kept items, the most important first.
    pub(crate) fn into_sorted(self) -> Vec<T> {
        self.kept.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_items_are_kept_in_whatever_order_they_come() {
        let numbers: Vec<u32> = (0..1_000).map(|n| n * 7_919 % 1_009).collect();
        let (left, right) = numbers.split_at(300);
        let mut parts = [Ranked::new(10), Ranked::new(10)];
        left.iter().for_each(|n| parts[0].push(*n));
        right.iter().rev().for_each(|n| parts[1].push(*n));
        let [mut first, second] = parts;
        first.merge(second);

        let mut expected = numbers.clone();
        expected.sort_unstable();
        expected.truncate(10);
        assert_eq!(first.total(), 1_000);
        assert_eq!(first.into_sorted(), expected);
    }
}
