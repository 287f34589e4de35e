//! The known name that somebody may have meant.

/// Of known names the one that a wrong one is nearest to; `None` where it is like none: where more than a third of it would have
/// to be changed.
pub(super) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = known.into_iter().map(|name| (distance(wrong, name), name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance * 3 <= wrong.chars().count()).then_some(name)
}

/// How many letters have to be inserted, removed or replaced to make one text of another: V. I. Levenshtein, "Binary codes capable
/// of correcting deletions, insertions, and reversals", Soviet Physics Doklady 10 (1966).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    // Distances from what of `one` was read to each beginning of `other`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (read, letter) in one.chars().enumerate() {
        let mut next = vec![read + 1];
        for ((place, wanted), left) in other.iter().enumerate().zip(&row) {
            let replaced = left + usize::from(letter != *wanted);
            let removed = row.get(place + 1).map_or(replaced, |above| above + 1);
            let inserted = next.last().map_or(replaced, |before| before + 1);
            next.push(replaced.min(removed).min(inserted));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_the_fewest_changes() {
        for (one, other, expected) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("a", "a", 0)] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn what_is_like_nothing_has_no_nearest() {
        let known = ["docker/debian", "docker/scratch", "wasmtime/aot"];
        assert_eq!(nearest("docker/debain", known), Some("docker/debian"));
        assert_eq!(nearest("firecracker/vm", known), None);
        assert_eq!(nearest("x", []), None);
    }
}
