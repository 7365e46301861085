//! A list of HTTP statuses as people write it: `200-299, 304, 4xx`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Some statuses between 100 and 599.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Statuses {
    text: String,
    ranges: Vec<(u16, u16)>,
}

/// Not a list of statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadStatuses;

impl fmt::Display for BadStatuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("statuses are written such as \"200-299, 304, 4xx\", each between 100 and 599")
    }
}

impl std::error::Error for BadStatuses {}

impl Statuses {
    /// Parses a list.
    ///
    /// # Errors
    /// When the text is no such list, or a status is not between 100 and 599.
    pub fn parse(text: &str) -> Result<Self, BadStatuses> {
        let items: Vec<&str> = text.split(',').map(str::trim).collect();
        let ranges = items.iter().map(|item| range(item)).collect::<Option<_>>().ok_or(BadStatuses)?;
        Ok(Self { text: items.join(", "), ranges })
    }

    /// Whether a status is in the list.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&status))
    }

    /// The list in its one spelling: a comma and a space between the items.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn range(item: &str) -> Option<(u16, u16)> {
    if let Some(class) = item.strip_suffix("xx") {
        let first = status(&format!("{class}00"))?;
        return Some((first, first + 99));
    }
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    let (first, last) = (status(first)?, status(last)?);
    (first <= last).then_some((first, last))
}

fn status(text: &str) -> Option<u16> {
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|status| digits && (100..=599).contains(status))
}

impl TryFrom<String> for Statuses {
    type Error = BadStatuses;

    fn try_from(text: String) -> Result<Self, BadStatuses> {
        Self::parse(&text)
    }
}

impl From<Statuses> for String {
    fn from(statuses: Statuses) -> String {
        statuses.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_of_statuses_is_refused() {
        for text in [
            "",
            ",",
            "200,",
            "20",
            "2000",
            "099",
            "600",
            "6xx",
            "xx",
            "2x",
            "299-200",
            "200-",
            "+20",
            "ok",
            "2 xx",
            "200 - 299",
        ] {
            assert_eq!(Statuses::parse(text), Err(BadStatuses), "{text}");
        }
    }

    #[test]
    fn a_list_holds_its_statuses_and_no_other() {
        let statuses = Statuses::parse(" 200-204, 304,5xx ").unwrap();
        for (status, holds) in
            [(199, false), (200, true), (204, true), (205, false), (304, true), (500, true), (599, true)]
        {
            assert_eq!(statuses.contains(status), holds, "{status}");
        }
        assert_eq!(statuses.as_str(), "200-204, 304, 5xx");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in r"[0-9x, \-]{0,12}|\PC{0,12}") {
            let _ = Statuses::parse(&text);
        }
    }
}
