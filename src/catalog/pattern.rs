//! Regular expressions of provider files: a pattern always matches the whole value.

use regex_lite::Regex;

/// Whether a pattern matches the whole text; `None` where the pattern is none.
#[must_use]
pub(crate) fn matches(pattern: &str, text: &str) -> Option<bool> {
    Some(whole(pattern)?.is_match(text))
}

/// A pattern that matches whole texts; `None` where the pattern is none. Making one takes longer than many matches.
#[must_use]
pub(crate) fn whole(pattern: &str) -> Option<Regex> {
    Regex::new(&format!(r"\A(?:{pattern})\z")).ok()
}

/// A text without what two patterns match at its beginning and at its end. A pattern that is none cuts nothing.
#[must_use]
pub(crate) fn cut<'a>(text: &'a str, before: Option<&str>, after: Option<&str>) -> &'a str {
    let find = |pattern: String, text: &str| Regex::new(&pattern).ok()?.find(text).map(|found| found.range());
    let start = before.and_then(|before| find(format!(r"\A(?:{before})"), text)).map_or(0, |found| found.end);
    let text = text.get(start..).unwrap_or(text);
    let end = after.and_then(|after| find(format!(r"(?:{after})\z"), text)).map_or(text.len(), |found| found.start);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_and_the_end_are_cut() {
        for (text, left) in [
            ("https://acme.example.com/x", "acme"),
            ("http://acme", "acme"),
            ("acme.example.com", "acme"),
            ("acme", "acme"),
            ("xhttps://acme", "xhttps://acme"),
            ("acme.example.community", "acme.example.community"),
            ("https://", ""),
            ("", ""),
        ] {
            assert_eq!(cut(text, Some("https?://"), Some(r"\.example\.com(/.*)?")), left, "{text}");
        }
        assert_eq!(cut("a/b", None, Some("(")), "a/b");
    }

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
