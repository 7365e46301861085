//! What a list must show, said naively: every connection in memory, filtered and sorted by the words of the specification.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use keyfob::domain::actor::Actor;
use keyfob::domain::connection::{
    Connection, Dates, Found, History, Kind, Label, Owner, SuppliedBy, Switches, UsageSummary, Values,
};
use keyfob::domain::environment::Environment;
use keyfob::domain::health::{Health, Source, Status, Verdict};
use keyfob::domain::id::ConnectionId;
use keyfob::domain::reason::Reason;
use keyfob::domain::text::{Customer, Description, Name, StableKey, Tag, fold};
use keyfob::domain::time::Timestamp;

use crate::support::NOW;

const DAY: Duration = Duration::from_hours(24);
const TYPES: [(&str, &str, &str); 4] = [
    ("http", "HTTP", "bearer"),
    ("http", "HTTP", "basic"),
    ("slack", "Slack", "incoming_webhook"),
    ("discord", "Discord", "webhook"),
];
const WORDS: [&str; 9] = ["Éclair", "eclair", "Alerts", "Zahlung", "支払い", "MÜNCHEN", "ops", "a", "💳"];
const TAGS: [&str; 6] = ["prod", "eu", "Été", "a b", "team-x", "💳"];
const SEARCHES: [&str; 12] =
    ["éclair", "CLAI", "ops", "al", "A", "zahlung éclair", "m", "münch a", "slack", "sl ht", "team-x", "xyz"];
const VERDICTS: [(Verdict, Option<Reason>); 5] = [
    (Verdict::Valid, None),
    (Verdict::Limited, Some(Reason::InsufficientScope)),
    (Verdict::Invalid, Some(Reason::Rejected)),
    (Verdict::Unknown, Some(Reason::NeverTested)),
    (Verdict::Unknown, Some(Reason::Unreachable)),
];

/// Chance that repeats (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.roll(from.len() as u64)).unwrap()]
    }

    fn day(&mut self) -> Timestamp {
        NOW - DAY * u32::try_from(self.roll(40)).unwrap()
    }
}

/// A connection as chance has it; `templates` are those that it may stand under.
pub(crate) fn connection(dice: &mut Dice, number: u64, templates: &[ConnectionId]) -> Connection {
    let (provider, _, connection_type) = *dice.pick(&TYPES);
    let (verdict, reason) = *dice.pick(&VERDICTS);
    let created_at = dice.day();
    let name: Vec<&str> = (0..=dice.roll(3)).map(|_| *dice.pick(&WORDS)).collect();
    let tags = (0..dice.roll(4)).map(|_| Tag::try_from((*dice.pick(&TAGS)).to_owned()).unwrap()).collect();
    let mut random = [0; 9];
    random[1..].copy_from_slice(&number.to_be_bytes());
    Connection {
        id: ConnectionId::new(created_at, random),
        environment: if dice.chance(85) { Environment::Development } else { Environment::Staging },
        provider: provider.to_owned(),
        connection_type: connection_type.to_owned(),
        owner: owner(dice, templates),
        label: Label {
            name: Name::try_from(name.join(" ")).unwrap(),
            description: Description::try_from(if dice.chance(30) { "Ask ops" } else { "" }.to_owned()).unwrap(),
            stable_key: StableKey::try_from(format!("key-{number}")).unwrap(),
            tags,
        },
        definition: None,
        values: Values::default(),
        test_credentials: None,
        switches: Switches { enabled: dice.chance(80), embedded: dice.chance(30) },
        health: Health { verdict, reason, checked_at: Some(created_at), source: Some(Source::Test), stale: false },
        last_attempt: None,
        found: Found::default(),
        dates: Dates {
            expires_at: dice.chance(30).then(|| dice.day()),
            rotate_by: dice.chance(20).then(|| dice.day()),
        },
        usage: UsageSummary { count: 0, last_used_at: dice.chance(50).then(|| dice.day()) },
        history: History {
            version: 1,
            revision: 1,
            created_at,
            created_by: author(),
            modified_at: dice.day().max(created_at),
            modified_by: author(),
        },
    }
}

fn owner(dice: &mut Dice, templates: &[ConnectionId]) -> Owner {
    match dice.roll(10) {
        0 => Owner { kind: Kind::Template, supplied_by: Some(SuppliedBy::Customer), ..Owner::organization() },
        1..4 => Owner {
            kind: Kind::Customer,
            template: (!templates.is_empty() && dice.chance(70)).then(|| dice.pick(templates).clone()),
            customer: Some(customer(dice.roll(3))),
            supplied_by: None,
        },
        _ => Owner::organization(),
    }
}

fn customer(number: u64) -> Customer {
    Customer::try_from(format!("customer {number}")).unwrap()
}

/// What a caller asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question {
    pub(crate) providers: BTreeSet<String>,
    pub(crate) types: BTreeSet<String>,
    pub(crate) tags: BTreeSet<Tag>,
    pub(crate) status: Option<Status>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) reason: Option<Reason>,
    pub(crate) enabled: Option<bool>,
    pub(crate) embedded: Option<bool>,
    pub(crate) kind: Option<Kind>,
    pub(crate) customer: Option<Customer>,
    pub(crate) template: Option<ConnectionId>,
    pub(crate) stable_key: Option<StableKey>,
    pub(crate) expires_before: Option<Timestamp>,
    pub(crate) due_before: Option<Timestamp>,
    pub(crate) unused_for: Option<u32>,
    pub(crate) search: Option<&'static str>,
}

/// How many filters there are.
pub(crate) const FILTERS: usize = 16;

impl Question {
    /// Narrows by one more filter, as chance has it.
    pub(crate) fn narrow(&mut self, filter: usize, dice: &mut Dice, all: &[Connection]) {
        let some = dice.pick(all).clone();
        match filter {
            0 => drop(self.providers.insert(some.provider)),
            1 => drop(self.types.insert(some.connection_type)),
            2 => drop(self.tags.insert(Tag::try_from((*dice.pick(&TAGS)).to_owned()).unwrap())),
            3 => self.status = Some(some.status()),
            4 => self.verdict = Some(some.health.verdict),
            5 => self.reason = Some(some.health.reason.unwrap_or(Reason::Expired)),
            6 => self.enabled = Some(some.switches.enabled),
            7 => self.embedded = Some(some.switches.embedded),
            8 => self.kind = Some(some.owner.kind),
            9 => self.customer = Some(customer(dice.roll(3))),
            10 => self.template = Some(all.iter().rev().find_map(|one| one.owner.template.clone()).unwrap_or(some.id)),
            11 => self.stable_key = Some(some.label.stable_key),
            12 => self.expires_before = Some(dice.day()),
            13 => self.due_before = Some(dice.day()),
            14 => self.unused_for = Some(u32::try_from(1 + dice.roll(40)).unwrap()),
            _ => self.search = Some(*dice.pick(&SEARCHES)),
        }
    }

    /// As the query of a URL.
    pub(crate) fn query(&self) -> String {
        let mut query = vec![("environment", "development".to_owned())];
        query.extend(self.providers.iter().map(|provider| ("provider", provider.clone())));
        query.extend(self.types.iter().map(|connection_type| ("connection_type", connection_type.clone())));
        query.extend(self.tags.iter().map(|tag| ("tag", tag.to_string())));
        query.extend(self.status.map(|status| ("status", word(status))));
        query.extend(self.verdict.map(|verdict| ("verdict", word(verdict))));
        query.extend(self.reason.map(|reason| ("reason", word(reason))));
        query.extend(self.enabled.map(|enabled| ("enabled", enabled.to_string())));
        query.extend(self.embedded.map(|embedded| ("embedded", embedded.to_string())));
        query.extend(self.kind.map(|kind| ("kind", word(kind))));
        query.extend(self.customer.iter().map(|customer| ("customer", customer.to_string())));
        query.extend(self.template.iter().map(|template| ("template", template.to_string())));
        query.extend(self.stable_key.iter().map(|key| ("stable_key", key.to_string())));
        query.extend(self.expires_before.map(|time| ("expires_before", time.to_string())));
        query.extend(self.due_before.map(|time| ("due_before", time.to_string())));
        query.extend(self.unused_for.map(|days| ("unused_for", days.to_string())));
        query.extend(self.search.map(|search| ("search", search.to_owned())));
        serde_html_form::to_string(query).unwrap()
    }

    /// Whether a connection is one of those that are asked for.
    pub(crate) fn fits(&self, one: &Connection) -> bool {
        let is_or_open = |wanted: &BTreeSet<String>, value: &String| wanted.is_empty() || wanted.contains(value);
        one.environment == Environment::Development
            && self.fits_owner(&one.owner)
            && is_or_open(&self.providers, &one.provider)
            && is_or_open(&self.types, &one.connection_type)
            && self.tags.is_subset(&one.label.tags)
            && self.status.is_none_or(|status| one.status() == status)
            && self.verdict.is_none_or(|verdict| one.health.verdict == verdict)
            && self.reason.is_none_or(|reason| one.health.reason == Some(reason))
            && self.enabled.is_none_or(|enabled| one.switches.enabled == enabled)
            && self.embedded.is_none_or(|embedded| one.switches.embedded == embedded)
            && self.stable_key.as_ref().is_none_or(|key| one.label.stable_key == *key)
            && self.expires_before.is_none_or(|time| one.dates.expires_at.is_some_and(|end| end < time))
            && self.due_before.is_none_or(|time| due(one).is_some_and(|date| date < time))
            && self.unused_for.is_none_or(|days| idle(one) < NOW - DAY * days)
            && self.search.is_none_or(|search| matches(search, one))
    }

    /// The organization's connections and templates by default, customers' on demand.
    fn fits_owner(&self, owner: &Owner) -> bool {
        let on_demand = self.kind == Some(Kind::Customer) || (self.kind.is_none() && self.template.is_some());
        let fits_customer = match &self.customer {
            Some(customer) => owner.customer.as_ref() == Some(customer),
            None => on_demand || owner.customer.is_none(),
        };
        fits_customer
            && self.kind.is_none_or(|kind| owner.kind == kind)
            && self.template.as_ref().is_none_or(|template| owner.template.as_ref() == Some(template))
    }
}

/// Every word: from three characters anywhere, shorter ones where a word begins.
fn matches(search: &str, one: &Connection) -> bool {
    let provider = TYPES.iter().find(|(key, ..)| *key == one.provider).unwrap().1;
    let tags: Vec<&str> = one.label.tags.iter().map(Tag::as_str).collect();
    let Label { name, description, .. } = &one.label;
    let text = fold(&[name.as_str(), description.as_str(), &one.provider, provider, &tags.join(" ")].join("\n"));
    fold(search).split_whitespace().all(|word| {
        if word.chars().count() >= 3 {
            text.contains(word)
        } else {
            text.split(|c: char| !c.is_alphanumeric()).any(|token| token.starts_with(word))
        }
    })
}

/// Since when it has not been used.
pub(crate) fn idle(one: &Connection) -> Timestamp {
    one.usage.last_used_at.unwrap_or(one.history.created_at)
}

/// The first day on which somebody has to act.
pub(crate) fn due(one: &Connection) -> Option<Timestamp> {
    [one.dates.expires_at, one.dates.rotate_by].into_iter().flatten().min()
}

/// How often each value occurs.
pub(crate) fn tally(values: impl Iterator<Item = String>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

/// The word that the API uses for a value.
pub(crate) fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

fn author() -> Actor {
    Actor { id: "key_root".to_owned(), name: "Root key".to_owned(), claimed: None }
}
