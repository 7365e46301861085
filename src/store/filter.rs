//! Which connections a list, a facet or a search is about, as SQL conditions; and which index walks them.

use std::collections::BTreeSet;

use crate::domain::connection::Kind;
use crate::domain::environment::Environment;
use crate::domain::health::{Status, Verdict};
use crate::domain::id::ConnectionId;
use crate::domain::reason::Reason;
use crate::domain::text::{Customer, StableKey, Tag};
use crate::domain::time::Timestamp;
use crate::ports::Param;

use super::json;

/// What a caller asks for. Every field narrows; the environment is required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The environment.
    pub environment: Environment,
    /// Any of these providers.
    pub providers: Vec<String>,
    /// Any of these connection types.
    pub connection_types: Vec<String>,
    /// All of these tags.
    pub tags: Vec<Tag>,
    /// This status.
    pub status: Option<Status>,
    /// This verdict.
    pub verdict: Option<Verdict>,
    /// This reason.
    pub reason: Option<Reason>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// Whether it is embedded.
    pub embedded: Option<bool>,
    /// This kind; without it, `customer` and `template`: the organization's connections and templates.
    pub kind: Option<Kind>,
    /// This customer's.
    pub customer: Option<Customer>,
    /// Those under this template.
    pub template: Option<ConnectionId>,
    /// Those with this stable key.
    pub stable_key: Option<StableKey>,
    /// Those that expire before.
    pub expires_before: Option<Timestamp>,
    /// Those that expire or are to be rotated before.
    pub due_before: Option<Timestamp>,
    /// Those that were not used since.
    pub unused_since: Option<Timestamp>,
    /// Those with every word of this text.
    pub search: Option<Search>,
}

impl Filter {
    /// All of the organization's connections and templates of an environment.
    #[must_use]
    pub const fn all(environment: Environment) -> Self {
        Self {
            environment,
            providers: Vec::new(),
            connection_types: Vec::new(),
            tags: Vec::new(),
            status: None,
            verdict: None,
            reason: None,
            enabled: None,
            embedded: None,
            kind: None,
            customer: None,
            template: None,
            stable_key: None,
            expires_before: None,
            due_before: None,
            unused_since: None,
            search: None,
        }
    }

    /// The one customer (`''`: the organization) that the filter stays within, where it does.
    pub(super) fn owner(&self) -> Option<&str> {
        match (&self.customer, self.kind, &self.template) {
            (Some(customer), _, _) => Some(customer.as_str()),
            (None, Some(Kind::Customer), _) | (None, None, Some(_)) => None,
            (None, _, _) => Some(""),
        }
    }

    /// Whether it is about customers' connections.
    pub(super) fn is_about_customers(&self) -> bool {
        self.owner() != Some("")
    }

    /// The conditions, each with the dimension that it narrows.
    pub(super) fn conditions(&self, sql: &mut Sql) -> Vec<Condition> {
        let mut found = Conditions(Vec::new());
        found.add(Dimension::StableKey, self.stable_key.as_ref().map(|key| sql.equals("c.stable_key", key.as_str())));
        found.add(Dimension::Template, self.template.as_ref().map(|id| sql.equals("c.template_id", id.as_str())));
        for tag in &self.tags {
            let tag = sql.bind(tag.as_str());
            let exists =
                format!("exists (select 1 from connection_tags x where x.connection = c.rowid and x.tag = {tag})");
            found.add(Dimension::Tag, Some(exists));
        }
        found.add(Dimension::Provider, sql.any_of("c.provider", &self.providers));
        found.add(Dimension::ConnectionType, sql.any_of("c.connection_type", &self.connection_types));
        found.add(Dimension::Verdict, self.verdict.map(|verdict| sql.equals("c.verdict", verdict.as_str())));
        found.add(Dimension::Status, self.status.map(|status| sql.equals("c.active", status == Status::Active)));
        found.add(Dimension::Embedded, self.embedded.map(|embedded| sql.equals("c.embedded", embedded)));
        found.add(Dimension::Kind, self.kind.map(|kind| sql.equals("c.kind", kind.as_str())));
        found.add(Dimension::Other, self.enabled.map(|enabled| sql.equals("c.enabled", enabled)));
        found.add(Dimension::Other, self.reason.map(|reason| sql.equals("c.reason", reason.as_str())));
        let expires = self.expires_before.map(|time| format!("c.expires_at < {}", sql.bind(time)));
        found.add(Dimension::Other, expires);
        let due = self.due_before.map(|time| format!("c.due_at < {}", sql.bind(time)));
        found.add(Dimension::Due, due);
        let unused = self.unused_since.map(|time| format!("c.idle_since < {}", sql.bind(time)));
        found.add(Dimension::Idle, unused);
        found.0
    }
}

/// The words of a search, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Words of three and more characters, found anywhere.
    pub long: Vec<String>,
    /// Shorter words, found where a word begins.
    pub short: Vec<String>,
}

impl Search {
    /// Splits a text into its words, each once; none where nothing is left to search for.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let folded = crate::domain::text::fold(text);
        let searchable = |word: &&str| word.chars().any(char::is_alphanumeric);
        // No text holds a control character, and a full-text query ends at NUL.
        let words = folded.split(|c: char| c.is_whitespace() || c.is_control()).filter(searchable);
        let words: BTreeSet<&str> = words.collect();
        let (long, short): (Vec<String>, Vec<String>) =
            words.into_iter().map(str::to_owned).partition(|word| word.chars().count() >= 3);
        if long.is_empty() && short.is_empty() { None } else { Some(Self { long, short }) }
    }

    /// How many words there are.
    #[must_use]
    pub const fn words(&self) -> usize {
        self.long.len() + self.short.len()
    }

    /// The full-text query for the words, inside one list. Quoted, so that no word is an operator.
    pub(super) fn expression(words: &[String], star: &str, scope: &str) -> String {
        let words: Vec<String> = words.iter().map(|word| format!("\"{}\"{star}", word.replace('"', "\"\""))).collect();
        format!("search_scope : {scope} AND search_text : ({})", words.join(" AND "))
    }

    /// A pattern (GLOB) for a text in which some word begins with this one. What stands before it is no letter or digit:
    /// the class has those of ASCII, and of the scripts before and after the blocks of punctuation and symbols.
    pub(super) fn pattern(word: &str) -> String {
        let literal = |character| match character {
            '*' | '?' | '[' => format!("[{character}]"),
            character => character.to_string(),
        };
        let word: String = word.chars().map(literal).collect();
        format!("*[^0-9a-z\u{aa}-\u{1fff}\u{2c00}-\u{10ffff}]{word}*")
    }
}

/// What a condition narrows: a facet leaves its own out, an index walk takes one over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    StableKey,
    Template,
    Tag,
    Provider,
    ConnectionType,
    Verdict,
    Status,
    Embedded,
    Kind,
    Due,
    Idle,
    Other,
}

/// One condition.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) dimension: Dimension,
    pub(super) sql: String,
}

struct Conditions(Vec<Condition>);

impl Conditions {
    fn add(&mut self, dimension: Dimension, sql: Option<String>) {
        self.0.extend(sql.map(|sql| Condition { dimension, sql }));
    }
}

/// The parameters of a statement under construction.
#[derive(Debug, Default)]
pub(super) struct Sql {
    pub(super) params: Vec<Param>,
}

impl Sql {
    /// Binds a value and gives its place.
    pub(super) fn bind(&mut self, value: impl Into<Param>) -> String {
        self.params.push(value.into());
        format!("?{}", self.params.len())
    }

    pub(super) fn equals(&mut self, column: &str, value: impl Into<Param>) -> String {
        format!("{column} = {}", self.bind(value))
    }

    /// One value is an equality, which an index can take over; several are one parameter.
    fn any_of(&mut self, column: &str, values: &[String]) -> Option<String> {
        match values {
            [] => None,
            [value] => Some(self.equals(column, value.as_str())),
            values => Some(format!("{column} in (select value from json_each({}))", self.bind(json(&values)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_no_character_of_a_word_for_a_wildcard() {
        let class = "*[^0-9a-z\u{aa}-\u{1fff}\u{2c00}-\u{10ffff}]";
        assert_eq!(Search::pattern("*?"), format!("{class}[*][?]*"));
        assert_eq!(Search::pattern("["), format!("{class}[[]*"));
    }

    #[test]
    fn a_pattern_is_short_enough_for_d1() {
        assert!(Search::pattern("\u{10400}\u{10400}").len() <= 50);
    }
}
