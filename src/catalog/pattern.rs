//! Regular expressions of provider files: a pattern always matches the whole value.

use regex_lite::Regex;

/// Whether a pattern matches the whole text; `None` where the pattern is none.
#[must_use]
pub(crate) fn matches(pattern: &str, text: &str) -> Option<bool> {
    Some(Regex::new(&format!(r"\A(?:{pattern})\z")).ok()?.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_value_is_no_match() {
        for text in ["xa", "ax", "a\n", "a\nb", "ba", "c"] {
            assert_eq!(matches("a|b", text), Some(false), "{text:?}");
        }
        assert_eq!(matches("a|b", "b"), Some(true));
    }

    #[test]
    fn what_is_no_pattern_is_told_apart() {
        for pattern in ["(", "a)", "[", "(?!a)", "a{2,1}"] {
            assert_eq!(matches(pattern, "a"), None, "{pattern}");
        }
    }
}
