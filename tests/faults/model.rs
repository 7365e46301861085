//! What a number of clients were told, and whether it can all be true.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::sim::Dice;
use crate::support::{Answer, bearer};
use crate::world::Call;

/// What a client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    /// A change of the secret: the token names the request.
    Secret,
    Label,
    Switch,
    Setting,
    Restore,
    Delete,
    Read,
    Resolve,
    Reveal,
    Tick,
}

/// One request of a client.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    /// The connection, or the idempotency key of a new one.
    pub(crate) subject: String,
    /// The version that it changes.
    base: u64,
    token: Option<String>,
    /// How much had been told when it was sent.
    sent: usize,
}

/// Everything that was asked and told, in its order.
#[derive(Default)]
pub(crate) struct Model {
    /// The connections that clients know of.
    pub(crate) connections: Vec<String>,
    versions: BTreeMap<String, u64>,
    /// Every token that was ever sent, and for which connection or key.
    sent: BTreeMap<String, String>,
    told: Vec<(Asked, Option<Answer>)>,
    requests: u64,
}

impl Model {
    /// Notes a connection that was there before.
    pub(crate) fn know(&mut self, connection: &Value, token: &str) {
        let id = connection["id"].as_str().unwrap().to_owned();
        self.versions.insert(id.clone(), connection["version"].as_u64().unwrap());
        self.sent.insert(token.to_owned(), id.clone());
        self.connections.push(id);
    }

    /// Thinks of a next request.
    pub(crate) fn ask(&mut self, dice: &mut Dice) -> (Asked, Call) {
        use Kind::{Create, Delete, Label, Read, Resolve, Restore, Reveal, Secret, Setting, Switch, Tick};
        const KINDS: [Kind; 20] = [
            Create, Create, Secret, Secret, Secret, Secret, Label, Label, Switch, Setting, Restore, Restore, Delete,
            Read, Read, Resolve, Resolve, Resolve, Reveal, Tick,
        ];
        self.requests += 1;
        let kind = dice.pick(&KINDS);
        let subject = match kind {
            Create => format!("key-{}", dice.below(2)),
            _ => self.connections[usize::try_from(dice.below(self.connections.len() as u64)).unwrap()].clone(),
        };
        let base = self.versions.get(&subject).copied().unwrap_or_default();
        let mut asked = Asked { kind, subject, base, token: None, sent: self.told.len() };
        let call = self.call(&mut asked);
        (asked, call)
    }

    fn call(&mut self, asked: &mut Asked) -> Call {
        let (subject, number) = (asked.subject.clone(), self.requests);
        let path = format!("/v1/connections/{subject}");
        let change = |path: String, body| Call::new("PATCH", path, body).if_match(asked.base);
        match asked.kind {
            Kind::Create => {
                let mut body = bearer(&subject);
                body["secrets"]["token"] = json!(format!("token-of-{subject}"));
                self.sent.insert(format!("token-of-{subject}"), subject.clone());
                Call::new("POST", "/v1/connections?test=false", body).with("idempotency-key", subject)
            }
            Kind::Secret => {
                let token = format!("token-{number}");
                self.sent.insert(token.clone(), subject);
                let call = change(format!("{path}?test=false"), json!({ "secrets": { "token": token } }));
                asked.token = Some(token);
                call
            }
            Kind::Label => change(path, json!({ "name": format!("Name {number}"), "tags": [format!("tag-{number}")] })),
            Kind::Switch => change(path, json!({ "embedded": number % 2 == 0, "description": format!("{number}") })),
            Kind::Setting => {
                change(format!("{path}?test=false"), json!({ "settings": { "test_path": format!("/{number}") } }))
            }
            Kind::Restore => {
                let path = format!("{path}/revisions/1/restore?test=false");
                Call::new("POST", path, json!({})).if_match(asked.base)
            }
            Kind::Delete => Call::new("DELETE", path, Value::Null).if_match(asked.base),
            Kind::Read | Kind::Tick => Call::get(path),
            Kind::Resolve => Call::get(format!("{path}/credentials")),
            Kind::Reveal => {
                Call::new("POST", format!("{path}/reveal"), json!({ "fields": ["token"], "reason": "why" }))
            }
        }
    }

    /// Notes what came of it.
    pub(crate) fn tell(&mut self, asked: Asked, answer: Option<Answer>) {
        if let Some(answer) = &answer
            && answer.status.is_success()
            && let Ok(body) = serde_json::from_str::<Value>(&answer.text)
            && let (Some(id), Some(version)) = (body["id"].as_str(), body["version"].as_u64())
        {
            let known = self.versions.entry(id.to_owned()).or_default();
            *known = version.max(*known);
            if !self.connections.iter().any(|known| known == id) {
                self.connections.push(id.to_owned());
            }
        }
        self.told.push((asked, answer));
    }

    /// Whether all that was told is true, given the token of each revision that can be read in the end.
    pub(crate) fn check(&self, tokens: &BTreeMap<(String, u64), String>, events: &Value, faults: bool) {
        let mut winners = BTreeSet::new();
        for (asked, answer) in &self.told {
            let Some(answer) = answer else { continue };
            let status = answer.status.as_u16();
            let is_expected = [200, 201, 204, 404, 409, 412].contains(&status) || status == 503;
            assert!(is_expected, "{asked:?}: {status} {}", answer.text);
            if status == 503 {
                assert!(!answer.header("retry-after").is_empty(), "{asked:?}: when to come again");
                let code = answer.problem().1;
                assert!(code == "secret_pending" || faults, "{asked:?}: {code} without a fault");
            }
            let changes = [Kind::Secret, Kind::Label, Kind::Switch, Kind::Setting, Kind::Restore, Kind::Delete];
            if answer.status.is_success() && changes.contains(&asked.kind) {
                let is_first = winners.insert((asked.subject.clone(), asked.base));
                assert!(is_first, "{asked:?}: one winner a version");
                let committed = json!([asked.subject, asked.base + 1]);
                assert!(events.as_array().unwrap().contains(&committed), "{asked:?}: acknowledged, and not in history");
                self.check_secret(asked, answer, tokens);
            }
        }
        self.check_reads(tokens);
        self.check_creations(tokens);
    }

    /// An acknowledged secret is what its revision holds.
    fn check_secret(&self, asked: &Asked, answer: &Answer, tokens: &BTreeMap<(String, u64), String>) {
        let Some(token) = &asked.token else { return };
        let number = answer.json()["revision"].as_u64().unwrap();
        let held = tokens.get(&(asked.subject.clone(), number));
        assert!(held == Some(token) || self.may_be_deleted(&asked.subject), "{asked:?}: {held:?} in revision {number}");
    }

    /// What was read is what its revision holds, and no older than what was acknowledged before it was asked for.
    fn check_reads(&self, tokens: &BTreeMap<(String, u64), String>) {
        for (asked, answer) in &self.told {
            let Some(answer) = answer.as_ref().filter(|answer| answer.status == 200) else { continue };
            if ![Kind::Resolve, Kind::Reveal].contains(&asked.kind) {
                continue;
            }
            let body = answer.json();
            let (number, token) = (body["revision"].as_u64().unwrap(), body["secrets"]["token"].as_str().unwrap());
            let held = tokens.get(&(asked.subject.clone(), number));
            let is_held =
                held.is_some_and(|held| held == token) || held.is_none() && self.may_be_deleted(&asked.subject);
            assert!(is_held, "{asked:?}: read {token}, but revision {number} holds {held:?}");
            let before = &self.told[..asked.sent];
            let acknowledged = before.iter().filter(|(other, _)| other.subject == asked.subject).filter_map(revision);
            assert!(acknowledged.max().is_none_or(|newest| number >= newest), "{asked:?}: a stale secret");
            let is_deleted = |(other, answer): &(Asked, Option<Answer>)| {
                other.kind == Kind::Delete
                    && other.subject == asked.subject
                    && answer.as_ref().is_some_and(|answer| answer.status == 204)
            };
            assert!(!before.iter().any(is_deleted), "{asked:?}: read after it was deleted");
        }
    }

    /// One key made at most one connection, and told everybody the same.
    fn check_creations(&self, tokens: &BTreeMap<(String, u64), String>) {
        for key in ["key-0", "key-1"] {
            let created = |(asked, answer): &(Asked, Option<Answer>)| {
                let answer = answer.as_ref().filter(|answer| answer.status == 201);
                answer.filter(|_| asked.subject == key).map(|answer| answer.text.clone())
            };
            let answers: BTreeSet<String> = self.told.iter().filter_map(created).collect();
            assert!(answers.len() <= 1, "{key}: {answers:?}");
            let token = format!("token-of-{key}");
            let owners: BTreeSet<&String> =
                tokens.iter().filter(|(_, held)| **held == token).map(|((id, _), _)| id).collect();
            assert!(owners.len() <= 1, "{key}: {owners:?}");
            for answer in answers {
                let id = serde_json::from_str::<Value>(&answer).unwrap()["id"].as_str().unwrap().to_owned();
                let held = tokens.get(&(id.clone(), 1));
                assert!(held == Some(&token) || self.may_be_deleted(&id), "{key}: {held:?} in {id}");
            }
        }
        for ((id, number), token) in tokens {
            let sent_for = self.sent.get(token);
            assert!(sent_for.is_some(), "revision {number} of {id} holds {token}, which nobody sent");
            let is_its = sent_for == Some(id) || sent_for.is_some_and(|sent_for| sent_for.starts_with("key-"));
            assert!(is_its, "revision {number} of {id} holds the token of {sent_for:?}");
        }
    }

    /// Whether somebody asked for its end: then its secrets may be gone.
    fn may_be_deleted(&self, connection: &str) -> bool {
        self.told.iter().any(|(asked, _)| asked.kind == Kind::Delete && asked.subject == connection)
    }

    /// How many were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.told.iter().filter(|(_, answer)| answer.as_ref().is_some_and(|answer| answer.status.is_success())).count()
    }
}

/// The revision that an acknowledged change made or left.
fn revision((asked, answer): &(Asked, Option<Answer>)) -> Option<u64> {
    let answer = answer.as_ref().filter(|answer| [200, 201].contains(&answer.status.as_u16()))?;
    [Kind::Secret, Kind::Setting, Kind::Restore]
        .contains(&asked.kind)
        .then(|| answer.json()["revision"].as_u64())
        .flatten()
}
