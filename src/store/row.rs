//! The row of a connection: a JSON array in a fixed order, borrowed from the text that SQLite made of it.
//!
//! A list hands most columns on as they are, so it reads no more of them than it shows. What is to be worked with becomes a
//! [`Connection`], parsed anew. Columns that hold JSON stand in the row unchanged: making a row of objects and having SQLite
//! parse those columns took seven times as long.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::domain::Invalid;
use crate::domain::connection::{
    Connection, Dates, Definition, Found, History, Kind, Label, Owner, SuppliedBy, Switches, TestCredentials,
    UsageSummary, Values,
};
use crate::domain::environment::Environment;
use crate::domain::health::{Attempt, Health, Source, Status, Verdict};
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::domain::values::Settings;

/// The row of a connection `c`, in the order of [`ConnectionRow`]. Groups keep within D1's 32 arguments a function.
macro_rules! connection_json {
    () => {
        "format('[%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s]', json_array(c.id, c.environment, c.provider, c.connection_type, c.kind, \
         c.template_id, nullif(c.customer, ''), c.supplied_by, c.name, c.description, c.stable_key, c.secrets_revision, \
         c.enabled, c.embedded, c.verdict, c.reason, c.checked_at, c.verdict_source, c.stale, c.expires_at, c.rotate_by, \
         c.usage_count, c.last_used_at, c.version, c.revision, c.created_at, c.modified_at, c.customer_count, \
         c.reenter_through, c.test_version), c.tags, c.settings, \
         c.secret_fields, coalesce(c.last_attempt, 'null'), c.facts, c.granted_scopes, c.missing_scopes, c.created_by, \
         c.modified_by, coalesce(c.customer_fields, 'null'), iif(c.test_version is null, 'null', \
         format('{\"settings\":%s,\"secret_fields\":%s}', c.test_settings, c.test_secret_fields)))"
    };
}
pub(super) use connection_json;

/// A connection as its row has it.
#[derive(Debug, Deserialize)]
pub struct ConnectionRow<'a> {
    /// The columns of one value each.
    #[serde(borrow)]
    pub columns: Columns<'a>,
    /// An array of texts, sorted.
    #[serde(borrow)]
    pub tags: &'a RawValue,
    /// An object of texts, integers and booleans.
    #[serde(borrow)]
    pub settings: &'a RawValue,
    /// An array of field keys, sorted.
    #[serde(borrow)]
    pub secret_fields: &'a RawValue,
    /// The newest attempt at the current revision.
    pub last_attempt: Option<Attempt>,
    /// An object of texts.
    #[serde(borrow)]
    pub facts: &'a RawValue,
    /// An array of texts.
    #[serde(borrow)]
    pub granted_scopes: &'a RawValue,
    /// An array of texts.
    #[serde(borrow)]
    pub missing_scopes: &'a RawValue,
    /// An actor.
    #[serde(borrow)]
    pub created_by: &'a RawValue,
    /// An actor.
    #[serde(borrow)]
    pub modified_by: &'a RawValue,
    /// An array of field keys, sorted; of a template.
    #[serde(borrow)]
    pub customer_fields: Option<&'a RawValue>,
    /// An object with `settings` and `secret_fields`.
    #[serde(borrow)]
    pub test_credentials: Option<&'a RawValue>,
}

/// The columns of one value each; see [`Connection`] for what they mean.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields of the domain's connection, each documented there")]
pub struct Columns<'a> {
    pub id: &'a str,
    pub environment: Environment,
    pub provider: &'a str,
    pub connection_type: &'a str,
    pub kind: Kind,
    pub template: Option<&'a str>,
    #[serde(borrow)]
    pub customer: Option<Text<'a>>,
    pub supplied_by: Option<SuppliedBy>,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow)]
    pub description: Cow<'a, str>,
    pub stable_key: &'a str,
    pub secrets_revision: Option<u64>,
    #[serde(deserialize_with = "flag")]
    pub enabled: bool,
    #[serde(deserialize_with = "flag")]
    pub embedded: bool,
    pub verdict: Verdict,
    pub reason: Option<Reason>,
    pub checked_at: Option<Timestamp>,
    pub source: Option<Source>,
    #[serde(deserialize_with = "flag")]
    pub stale: bool,
    pub expires_at: Option<Timestamp>,
    pub rotate_by: Option<Timestamp>,
    pub usage_count: u64,
    pub last_used_at: Option<Timestamp>,
    pub version: u64,
    pub revision: u64,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub customer_count: u64,
    pub reenter_through: u64,
    pub test_version: Option<u64>,
}

/// A text that is borrowed unless JSON escapes something in it.
#[derive(Debug, Deserialize)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl Columns<'_> {
    /// The last definitive verdict of the current revision.
    #[must_use]
    pub const fn health(&self) -> Health {
        Health {
            verdict: self.verdict,
            reason: self.reason,
            checked_at: self.checked_at,
            source: self.source,
            stale: self.stale,
        }
    }

    /// When it ends.
    #[must_use]
    pub const fn dates(&self) -> Dates {
        Dates { expires_at: self.expires_at, rotate_by: self.rotate_by }
    }

    /// Whether the secrets have to be entered again before they are used.
    #[must_use]
    pub fn must_reenter(&self) -> bool {
        self.secrets_revision.is_some_and(|revision| revision <= self.reenter_through)
    }

    /// Whether it can be used.
    #[must_use]
    pub const fn status(&self) -> Status {
        Status::derive(self.enabled, self.verdict)
    }
}

/// A boolean, which SQLite has as 0 or 1.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    u8::deserialize(deserializer).map(|flag| flag != 0)
}

impl<'de> Deserialize<'de> for Connection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ConnectionRow::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

/// A row that holds what the domain does not accept.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A text that breaks its rule.
    #[error(transparent)]
    Text(#[from] Invalid),
    /// Another shape of JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl TryFrom<ConnectionRow<'_>> for Connection {
    type Error = Unreadable;

    fn try_from(row: ConnectionRow<'_>) -> Result<Self, Unreadable> {
        let columns = row.columns;
        let (health, dates) = (columns.health(), columns.dates());
        let owner = Owner {
            kind: columns.kind,
            template: columns.template.map(str::parse).transpose()?,
            customer: columns.customer.map(|Text(customer)| customer.into_owned().try_into()).transpose()?,
            supplied_by: columns.supplied_by,
        };
        let label = Label {
            name: columns.name.into_owned().try_into()?,
            description: columns.description.into_owned().try_into()?,
            stable_key: columns.stable_key.to_owned().try_into()?,
            tags: parse(row.tags)?,
        };
        Ok(Self {
            id: columns.id.parse()?,
            environment: columns.environment,
            provider: columns.provider.to_owned(),
            connection_type: columns.connection_type.to_owned(),
            owner,
            label,
            definition: definition(row.customer_fields, columns.customer_count)?,
            values: Values {
                settings: parse(row.settings)?,
                secret_fields: parse(row.secret_fields)?,
                secrets_revision: columns.secrets_revision,
                reenter_through: columns.reenter_through,
            },
            test_credentials: test_credentials(row.test_credentials, columns.test_version)?,
            switches: Switches { enabled: columns.enabled, embedded: columns.embedded },
            health,
            last_attempt: row.last_attempt,
            found: Found {
                facts: parse(row.facts)?,
                granted_scopes: parse(row.granted_scopes)?,
                missing_scopes: parse(row.missing_scopes)?,
            },
            dates,
            usage: UsageSummary { count: columns.usage_count, last_used_at: columns.last_used_at },
            history: History {
                version: columns.version,
                revision: columns.revision,
                created_at: columns.created_at,
                created_by: parse(row.created_by)?,
                modified_at: columns.modified_at,
                modified_by: parse(row.modified_by)?,
            },
        })
    }
}

fn definition(customer_fields: Option<&RawValue>, customer_count: u64) -> serde_json::Result<Option<Definition>> {
    let Some(fields) = customer_fields else { return Ok(None) };
    Ok(Some(Definition { customer_fields: parse(fields)?, customer_count }))
}

fn test_credentials(row: Option<&RawValue>, version: Option<u64>) -> serde_json::Result<Option<TestCredentials>> {
    #[derive(Deserialize)]
    struct Row {
        settings: Settings,
        secret_fields: BTreeSet<String>,
    }
    let (Some(row), Some(version)) = (row, version) else { return Ok(None) };
    let Row { settings, secret_fields } = parse(row)?;
    Ok(Some(TestCredentials { settings, secret_fields, version }))
}

fn parse<'a, T: Deserialize<'a>>(text: &'a RawValue) -> serde_json::Result<T> {
    serde_json::from_str(text.get())
}
