//! "Did you mean": the word that was probably meant.

/// Letters that may differ before two words are no longer taken for one.
const DISTANCE_MAX: usize = 2;

/// Words longer than this are not compared: nobody mistypes them into a word of ours.
const LEN_MAX: usize = 64;

/// The expected word that is nearest to `word`, if one is near.
pub(super) fn suggest<'a>(word: &str, expected: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LEN_MAX {
        return None;
    }
    expected
        .into_iter()
        .filter(|candidate| candidate.len() <= LEN_MAX)
        .map(|candidate| (distance(word, candidate), candidate))
        // A distance as long as the word itself would make any short word look like any other.
        .filter(|&(distance, candidate)| distance <= DISTANCE_MAX && distance < candidate.len().min(word.len()))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// The end of a message: `` ; did you mean `queue`? `` or nothing.
pub(super) fn did_you_mean<'a>(word: &str, expected: impl IntoIterator<Item = &'a str>) -> String {
    suggest(word, expected).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// The end of a message about a closed list: the word that was meant, or the whole list.
pub(super) fn expected_one_of<'a>(word: &str, expected: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = suggest(word, expected.clone()) {
        return format!("; did you mean `{near}`?");
    }
    let words: Vec<_> = expected.into_iter().map(|word| format!("`{word}`")).collect();
    if words.is_empty() { String::new() } else { format!("; expected one of {}", words.join(", ")) }
}

/// The edit distance of Levenshtein; words that differ in case only count as equal.
fn distance(a: &str, b: &str) -> usize {
    if a.eq_ignore_ascii_case(b) {
        return 0;
    }
    let b: Vec<char> = b.chars().collect();
    // `row[j]` is the distance from what was read of `a` so far to the first `j` letters of `b`.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, suggest};

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "", 0),
            ("queue", "queue", 0),
            ("queu", "queue", 1),
            ("qeuue", "queue", 2),
            ("KIND", "kind", 0),
            ("", "ab", 2),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn only_what_is_near() {
        assert_eq!(suggest("queu", ["name", "queue"]), Some("queue"));
        assert_eq!(suggest("tender_final", ["TENDER_FINAL"]), Some("TENDER_FINAL"));
        assert_eq!(suggest("x", ["y"]), None);
        assert_eq!(suggest("zebra", ["name", "queue"]), None);
        assert_eq!(suggest(&"q".repeat(65), ["queue"]), None);
    }
}
