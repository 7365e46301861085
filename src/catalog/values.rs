//! Values at the door: what a caller sends for a connection type becomes checked settings and secrets, or a list of
//! every problem. A problem names the place and never repeats the value.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::destinations::destinations;
use super::file::{FieldType, VisibleWhen};
use super::fill::FillError;
use super::provider::{ConnectionType, Field};
use super::reach::Reach;
use super::{key_file, oauth, request, server, text};
use crate::domain::values::{Secret, Secrets, Settings};

/// The most bytes that all keys and texts of a connection may have together.
pub const MAX_TOTAL_BYTES: usize = 64 * 1024;

/// Integers are kept exactly by every JSON reader within ±2^53.
const MAX_INTEGER: i64 = 1 << 53;

/// Values that keep every rule of their connection type: trimmed, spelled in one way, defaults filled in.
pub struct Checked {
    /// The settings.
    pub settings: Settings,
    /// The secrets.
    pub secrets: Secrets,
}

/// What is wrong with one value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValueProblem {
    /// Where: `/settings/<field>` or `/secrets/<field>` (a JSON pointer, RFC 6901).
    pub pointer: String,
    /// A stable code.
    pub code: &'static str,
    /// A sentence that never holds the value.
    pub detail: String,
}

impl ValueProblem {
    fn new(pointer: String, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer, code, detail: detail.into() }
    }
}

/// How much of the values of a connection type there is to check.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    /// All of them.
    Whole,
    /// The global ones of a template, whose customers have these fields themselves.
    Global(&'a BTreeSet<String>),
    /// All of them, of which a customer has these fields and the template the others. What the template has and the customer's
    /// values do not show is left out.
    Merged(&'a BTreeSet<String>),
}

impl Part<'_> {
    /// Whether a value is missing here because each customer has one.
    fn leaves_out(self, key: &str) -> bool {
        matches!(self, Self::Global(customer) if customer.contains(key))
    }

    /// Whether a value was not entered by whom these are the values of, but by the template.
    fn inherits(self, key: &str) -> bool {
        matches!(self, Self::Merged(customer) if !customer.contains(key))
    }
}

/// Checks values against their connection type. `allow_http` is for development only.
///
/// # Errors
/// Every problem that was found, in the order of their places.
pub fn check(
    connection_type: &ConnectionType,
    settings: Settings,
    secrets: Secrets,
    (part, allow_http): (Part<'_>, bool),
) -> Result<Checked, Vec<ValueProblem>> {
    if total_bytes(&settings, &secrets) > MAX_TOTAL_BYTES {
        let detail = "All values together must not exceed 64 KiB.";
        return Err(vec![ValueProblem::new("/settings".to_owned(), "too_long", detail)]);
    }
    let mut door = Door { connection_type, part, allow_http, problems: BTreeSet::new() };
    let mut settings = door.settings(settings);
    let mut secrets = door.secrets(secrets);
    door.visibility(&mut settings, &mut secrets);
    if door.problems.is_empty() {
        door.places(&settings, &secrets);
    }
    let problems: Vec<_> = door.problems.into_iter().collect();
    if problems.is_empty() { Ok(Checked { settings, secrets }) } else { Err(problems) }
}

/// A field's place in what the caller sent.
fn pointer(field: &Field) -> String {
    let group = if field.secret { "secrets" } else { "settings" };
    format!("/{group}/{}", field.key)
}

/// A place that the caller named, escaped as RFC 6901 says.
fn pointer_to(group: &str, key: &str) -> String {
    format!("/{group}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn total_bytes(settings: &Settings, secrets: &Secrets) -> usize {
    let settings = settings.iter().map(|(key, value)| key.len() + value.as_str().map_or(8, str::len));
    let secrets = secrets.0.iter().map(|(key, secret)| key.len() + secret.expose_secret().len());
    settings.chain(secrets).sum()
}

/// Checks the values of one connection, and collects what is wrong with them.
struct Door<'a> {
    connection_type: &'a ConnectionType,
    part: Part<'a>,
    allow_http: bool,
    problems: BTreeSet<ValueProblem>,
}

impl Door<'_> {
    fn refuse(&mut self, pointer: String, code: &'static str, detail: impl Into<String>) {
        self.problems.insert(ValueProblem::new(pointer, code, detail));
    }

    /// The settings that are set and good; `null` and blank texts count as not set.
    fn settings(&mut self, settings: Settings) -> Settings {
        let mut checked = Settings::new();
        for (key, value) in settings {
            let pointer = pointer_to("settings", &key);
            match self.connection_type.field(&key) {
                None => self.unknown(pointer, &key),
                Some(field) if field.secret => {
                    self.refuse(pointer, "is_secret", format!("{} is a secret: send it in secrets.", field.label));
                }
                Some(field) => match self.setting(field, value) {
                    Ok(value) => checked.extend(value.map(|value| (key, value))),
                    Err((code, detail)) => self.refuse(pointer, code, detail),
                },
            }
        }
        checked
    }

    /// A field that is not there: unknown, or known to be what cannot be done.
    fn unknown(&mut self, pointer: String, key: &str) {
        match self.connection_type.unavailable.get(key) {
            Some(reason) => self.refuse(pointer, "unavailable", reason.clone()),
            None => self.refuse(pointer, "unknown_field", "This connection type has no such field."),
        }
    }

    fn setting(&self, field: &Field, value: Value) -> Result<Option<Value>, text::Problem> {
        match (field.value_type, value) {
            (_, Value::Null) => Ok(None),
            (FieldType::Boolean, Value::Bool(flag)) => Ok(Some(Value::Bool(flag))),
            (FieldType::Boolean, _) => Err(("wrong_type", format!("{} must be true or false.", field.label))),
            (FieldType::Integer, value) if value.as_i64().is_some_and(is_exact) => Ok(Some(value)),
            (FieldType::Integer, _) => Err(("wrong_type", format!("{} must be a whole number.", field.label))),
            (_, Value::String(text)) => Ok(text::check(field, &text, self.allow_http)?.map(Value::String)),
            _ => Err(("wrong_type", format!("{} must be a text.", field.label))),
        }
    }

    /// The secrets that are set and good.
    fn secrets(&mut self, secrets: Secrets) -> Secrets {
        let mut checked = BTreeMap::new();
        for (key, secret) in secrets.0 {
            let pointer = pointer_to("secrets", &key);
            match self.connection_type.field(&key) {
                None => self.unknown(pointer, &key),
                Some(field) if !field.secret => {
                    self.refuse(pointer, "not_secret", format!("{} is no secret: send it in settings.", field.label));
                }
                Some(field) => match text::check(field, secret.expose_secret(), self.allow_http) {
                    Ok(text) => checked.extend(text.map(|text| (key, Secret::new(text)))),
                    Err((code, detail)) => self.refuse(pointer, code, detail),
                },
            }
        }
        Secrets(checked)
    }

    /// Goes through the form from its beginning: fills in defaults, refuses values that are not asked for, and misses
    /// those that are.
    fn visibility(&mut self, settings: &mut Settings, secrets: &mut Secrets) {
        for field in &self.connection_type.fields {
            let set = settings.contains_key(&field.key) || secrets.0.contains_key(&field.key);
            if self.part.leaves_out(&field.key) {
                if set {
                    let detail = format!("{} is entered for each customer: leave it out here.", field.label);
                    self.refuse(pointer(field), "customer_specific", detail);
                }
            } else if !self.is_visible(field, settings) {
                if set && self.part.inherits(&field.key) {
                    settings.remove(&field.key);
                    secrets.0.remove(&field.key);
                } else if set {
                    let detail = format!("{} does not go with the other values: leave it out.", field.label);
                    self.refuse(pointer(field), "not_visible", detail);
                }
            } else if !set && self.is_shown_to_some(field) {
                // Whether it is asked for at all depends on the customer.
            } else if !set && let Some(default) = self.default(field, secrets) {
                settings.insert(field.key.clone(), default);
            } else if !set && field.required && !self.is_refused(field) && !self.depends_on_refused(field) {
                self.refuse(pointer(field), "missing", format!("{} is required.", field.label));
            }
        }
    }

    /// The value of a field where none is given. One that a key file names is checked as if it were.
    fn default(&mut self, field: &Field, secrets: &Secrets) -> Option<Value> {
        let file = field.project_of.as_ref().and_then(|key| secrets.0.get(key));
        match file.and_then(|file| key_file::project(file.expose_secret())) {
            None => field.default.clone(),
            Some(project) => match text::check(field, &project, self.allow_http) {
                Ok(text) => text.map(Value::String),
                Err((code, detail)) => {
                    self.refuse(pointer(field), code, detail);
                    None
                }
            },
        }
    }

    fn is_visible(&self, field: &Field, settings: &Settings) -> bool {
        let shown = |when: &VisibleWhen| settings.get(&when.field).is_some_and(|value| when.holds(value));
        field.visible_when.as_ref().is_none_or(shown) || self.depends_on_refused(field) || self.is_shown_to_some(field)
    }

    /// Whether some customers are shown a field and others are not, as their own values say.
    fn is_shown_to_some(&self, field: &Field) -> bool {
        field.visible_when.as_ref().is_some_and(|when| self.part.leaves_out(&when.field))
    }

    /// Whether it is unknown if a field is shown, because the value that decides was refused.
    fn depends_on_refused(&self, field: &Field) -> bool {
        let other = field.visible_when.as_ref().and_then(|when| self.connection_type.field(&when.field));
        other.is_some_and(|other| self.is_refused(other))
    }

    fn is_refused(&self, field: &Field) -> bool {
        let pointer = pointer(field);
        self.problems.iter().any(|problem| problem.pointer == pointer)
    }

    /// Puts good values where they will go, and refuses those that do not fit there.
    fn places(&mut self, settings: &Settings, secrets: &Secrets) {
        let secrets = &oauth::with_stand_ins(self.connection_type, secrets);
        let rendered = match &self.connection_type.reach {
            Reach::Request(template) => request::render(template, settings, secrets).map(drop),
            Reach::Server(template) => server::render(template, settings, secrets).map(drop),
        };
        let reached = rendered.and_then(|()| destinations(self.connection_type, settings, secrets).map(drop));
        let tested = reached.and_then(|()| request::fits(self.connection_type, settings, secrets));
        let client = tested.and_then(|()| oauth::client(self.connection_type, settings, secrets).map(drop));
        let Err(error) = client else { return };
        let (key, code, sentence) = match &error {
            FillError::Unset(field) if self.part.leaves_out(field) => return,
            FillError::Unset(field) => (field, "missing", "is required."),
            FillError::Unfit { field, sentence } => (field, "unfit", *sentence),
        };
        if let Some(field) = self.connection_type.field(key) {
            self.refuse(pointer(field), code, format!("{} {sentence}", field.label));
        }
    }
}

const fn is_exact(integer: i64) -> bool {
    -MAX_INTEGER <= integer && integer <= MAX_INTEGER
}

mod definition;

pub use definition::{Definition, check_definition};

#[cfg(test)]
mod tests;
