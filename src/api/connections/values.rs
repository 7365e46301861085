//! The values of a connection on their way in: checked, tested, sealed. What create, update and restore have in common.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::api::error::{ApiError, ValueError};
use crate::app::App;
use crate::catalog::Catalog;
use crate::catalog::destinations::{destination_fields_changed, destinations};
use crate::catalog::provider::ConnectionType;
use crate::catalog::values::{ValueProblem, check};
use crate::domain::connection::{Connection, Found};
use crate::domain::environment::Environment;
use crate::domain::health::Health;
use crate::domain::id::ConnectionId;
use crate::domain::origin::Origin;
use crate::domain::revision::{Revision, SecretChange};
use crate::domain::text::Note;
use crate::domain::values::{Secret, Secrets, Settings};
use crate::egress::Refused;
use crate::probe::{self, Finding};
use crate::store::secrets::SecretsError;
use crate::store::{self, Query, secrets, vault_entries};
use crate::vault::{self, Context, Entry, KeyRing, Opened, Purpose, Sealed};

use super::tested::Tested;

/// Values that fit their connection type.
pub struct Draft {
    /// The connection type.
    pub connection_type: &'static ConnectionType,
    /// The settings, defaults filled in.
    pub settings: Settings,
    /// The secrets.
    pub secrets: Secrets,
    /// Where the secrets may be sent.
    pub destinations: BTreeSet<Origin>,
}

impl Draft {
    /// Checks values against today's catalogue.
    ///
    /// # Errors
    /// Everything that is wrong with them, each with its pointer.
    pub fn check(
        app: &App,
        connection_type: &'static ConnectionType,
        settings: Settings,
        secrets: Secrets,
    ) -> Result<Self, Vec<ValueError>> {
        let allow_http = app.config.allow_private_network;
        let checked = check(connection_type, settings, secrets, allow_http).map_err(value_errors)?;
        let destinations = destinations(connection_type, &checked.settings, &checked.secrets).map_err(|unfit| {
            // What was checked a moment ago fits; should it not, the sentence says why.
            vec![ValueError::new("/settings", "invalid", unfit.to_string())]
        })?;
        check_destinations(app, connection_type, &destinations)?;
        Ok(Self { connection_type, settings: checked.settings, secrets: checked.secrets, destinations })
    }

    /// The stored values of a connection, as far as they still fit today's catalogue and go where they were sealed for.
    ///
    /// # Errors
    /// When they do not, or do not open.
    pub async fn stored(
        app: &App,
        ring: &KeyRing,
        connection: &Connection,
        entry: Option<Entry>,
    ) -> Result<Self, ApiError> {
        Ok(Edited::over(app, ring, (connection, entry), Edits::default()).await?.draft)
    }

    /// Tests the values, harming nothing.
    pub async fn test(&self, app: &App) -> Finding {
        probe::test(
            (&app.egress, &*app.random, &*app.unicode, &*app.sign),
            self.connection_type,
            &self.settings,
            &self.secrets,
            &self.destinations,
        )
        .await
    }

    /// The hosts that a test of the values calls, each once.
    pub fn hosts(&self) -> BTreeSet<&str> {
        self.destinations.iter().map(Origin::host).collect()
    }

    /// Seals the secrets for a revision and stores the blob; nothing where there is no secret.
    ///
    /// # Errors
    /// When the master key is missing, or the blob store failed.
    pub async fn seal(
        &self,
        app: &App,
        ring: &KeyRing,
        (id, environment, revision): (&ConnectionId, Environment, u64),
    ) -> Result<Option<Sealed>, ApiError> {
        if self.secrets.is_empty() {
            return Ok(None);
        }
        let context = Context {
            environment,
            owner_id: id.as_str().to_owned(),
            purpose: Purpose::Values,
            number: revision,
            destinations: self.destinations.clone(),
        };
        seal(app, ring, context, &self.secrets).await.map(Some)
    }
}

/// Seals secrets where they belong, and stores the blob.
///
/// # Errors
/// When the master key is missing, or the blob store failed.
pub async fn seal(app: &App, ring: &KeyRing, context: Context, secrets: &Secrets) -> Result<Sealed, ApiError> {
    let sealed = vault::seal(ring, &*app.random, context, secrets).map_err(|_| ApiError::KeyUnavailable)?;
    let stored = app.blobs.put(&sealed.vault_ref.to_string(), sealed.blob.clone()).await;
    stored.map_err(|error| ApiError::StorageUnavailable(error.to_string()))?;
    Ok(sealed)
}

/// Refuses destinations that may never be called: what a test could only find unreachable is told while it is entered.
fn check_destinations(app: &App, of: &ConnectionType, destinations: &BTreeSet<Origin>) -> Result<(), Vec<ValueError>> {
    let refused = destinations.iter().filter_map(|origin| app.egress.check_destination(origin).err());
    let field = of.fields.iter().find(|field| field.destination);
    let pointer = field.map_or_else(String::new, |field| {
        format!("/{}/{}", if field.secret { "secrets" } else { "settings" }, field.key)
    });
    let sentence = |refused: Refused| format!("This address may not be called: {refused}.");
    let error = |refused: Refused| ValueError::new(pointer.as_str(), "destination", sentence(refused));
    let errors: Vec<ValueError> = refused.map(error).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn value_errors(problems: Vec<ValueProblem>) -> Vec<ValueError> {
    problems.into_iter().map(|problem| ValueError::new(problem.pointer, problem.code, problem.detail)).collect()
}

/// Finds a connection type of the catalogue.
///
/// # Errors
/// 422 with a pointer to what is unknown.
pub fn find_type(provider: &str, connection_type: &str) -> Result<&'static ConnectionType, ApiError> {
    let unknown = |pointer, detail| ApiError::InvalidBody(vec![ValueError::new(pointer, "unknown", detail)]);
    let provider = Catalog::embedded()
        .provider(provider)
        .ok_or_else(|| unknown("/provider", "There is no such provider: GET /v1/providers lists them."))?;
    let found = provider.connection_types.iter().find(|known| known.key == connection_type);
    found.ok_or_else(|| {
        unknown("/connection_type", "The provider has no such connection type: GET /v1/providers/{provider}.")
    })
}

/// Finds the connection type of a stored connection.
///
/// # Errors
/// A fault of ours: the catalogue of this build lacks it.
pub fn type_of(connection: &Connection) -> Result<&'static ConnectionType, ApiError> {
    let (provider, key) = (&connection.provider, &connection.connection_type);
    Catalog::embedded()
        .connection_type(provider, key)
        .ok_or_else(|| ApiError::Internal(format!("the catalogue has no {provider}/{key}")))
}

/// The query for the check value of the primary key.
#[must_use]
pub fn find_key_check(app: &App) -> Query<Option<String>> {
    app.config
        .ring
        .as_ref()
        .map_or_else(|_| store::nothing().map(|()| None), |ring| vault_entries::find_key_check(ring.primary_id()))
}

/// Refuses to work with a key that is not the one that the database knows by its number. The commit would refuse it, too:
/// this is before anything is tested, and before a blob is stored.
///
/// # Errors
/// 503 when it is another.
pub fn check_key(ring: &KeyRing, id: u32, known: Option<&str>) -> Result<(), ApiError> {
    let is_same = known.is_none() || known == ring.check_value(id).as_deref();
    if is_same { Ok(()) } else { Err(ApiError::KeyUnavailable) }
}

/// Changes of values: what is not named is kept, null clears.
#[derive(Default)]
pub struct Edits {
    /// Of the settings.
    pub settings: BTreeMap<String, Option<Value>>,
    /// Of the secrets.
    pub secrets: BTreeMap<String, Option<Secret>>,
}

/// The values of a connection with changes laid over them.
pub struct Edited {
    /// The values after.
    pub draft: Draft,
    /// What became of each secret.
    pub secret_changes: BTreeMap<String, SecretChange>,
    /// Where the secrets before were sealed for.
    pub sealed_for: BTreeSet<Origin>,
}

impl Edited {
    /// Lays changes over the values of a connection. Kept secrets go only where they were sealed for.
    ///
    /// # Errors
    /// 422 when the values do not fit, or secrets must be entered again; when the stored ones do not open.
    pub async fn over(
        app: &App,
        ring: &KeyRing,
        (connection, entry): (&Connection, Option<Entry>),
        edits: Edits,
    ) -> Result<Self, ApiError> {
        let values = &connection.values;
        let sealed_for = entry.as_ref().map(|entry| entry.context.destinations.clone()).unwrap_or_default();
        let sent: BTreeSet<String> = edits.secrets.keys().cloned().collect();
        let before = match open(app, ring, values.secrets_revision, entry).await {
            Ok(opened) => Some(opened.secrets),
            // Secrets that do not open must not stand in the way of those that replace all of them.
            Err(_) if values.secret_fields.is_subset(&sent) => None,
            Err(error) => return Err(error),
        };
        let settings = overlay(values.settings.clone(), edits.settings);
        let kept = before.as_ref().map(copy).unwrap_or_default();
        let secrets = Secrets(overlay(kept, edits.secrets));
        let draft = Draft::check(app, type_of(connection)?, settings, secrets).map_err(ApiError::InvalidBody)?;
        let secret_changes = compare((&values.secret_fields, before.as_ref()), &draft.secrets);
        let kept = kept_for_elsewhere((connection, &sealed_for), &sent, &draft);
        if kept.is_empty() { Ok(Self { draft, secret_changes, sealed_for }) } else { Err(ApiError::InvalidBody(kept)) }
    }
}

/// Opens the secrets of a revision whose entry has the number `sealed`; none where there is none.
///
/// # Errors
/// When they do not open: 503 where the master key is missing or another one, else a fault of ours.
pub async fn open(app: &App, ring: &KeyRing, sealed: Option<u64>, entry: Option<Entry>) -> Result<Opened, ApiError> {
    let entry = match (sealed, entry) {
        (None, _) => return Ok(Opened { secrets: Secrets::default(), destinations: BTreeSet::new() }),
        (Some(_), Some(entry)) => entry,
        (Some(number), None) => return Err(SecretsError::Corrupt(format!("there is no entry {number}")).into()),
    };
    let opened = secrets::open(&*app.blobs, ring, app.now(), &entry).await;
    if let Err(SecretsError::Corrupt(_)) = &opened {
        let known = vault_entries::find_key_check(entry.key_id).run(&*app.database).await?;
        check_key(ring, entry.key_id, known.as_deref())?;
    }
    Ok(opened?)
}

fn overlay<T>(mut before: BTreeMap<String, T>, edits: BTreeMap<String, Option<T>>) -> BTreeMap<String, T> {
    for (field, value) in edits {
        match value {
            Some(value) => before.insert(field, value),
            None => before.remove(&field),
        };
    }
    before
}

/// The same secrets once more: the old ones are still needed for comparison.
fn copy(secrets: &Secrets) -> BTreeMap<String, Secret> {
    secrets.0.iter().map(|(field, secret)| (field.clone(), secret.copy())).collect()
}

/// What became of each secret between two sets of them. Those of which only the fields are known count as changed.
#[must_use]
pub fn compare(
    (fields, before): (&BTreeSet<String>, Option<&Secrets>),
    after: &Secrets,
) -> BTreeMap<String, SecretChange> {
    let is_same = |field: &String, after: &Secret| {
        before.and_then(|before| before.0.get(field)).is_some_and(|before| before.is_same(after))
    };
    let change = |field: &String| match after.0.get(field) {
        None => SecretChange::Removed,
        Some(_) if !fields.contains(field) => SecretChange::Added,
        Some(secret) if is_same(field, secret) => SecretChange::Unchanged,
        Some(_) => SecretChange::Changed,
    };
    let all: BTreeSet<&String> = fields.iter().chain(after.0.keys()).collect();
    all.into_iter().map(|field| (field.clone(), change(field))).collect()
}

/// Whether any secret is another one than before.
#[must_use]
pub fn is_any_changed(changes: &BTreeMap<String, SecretChange>) -> bool {
    changes.values().any(|change| *change != SecretChange::Unchanged)
}

/// The kept secrets that have to be entered again, because they would go where they were not sealed for.
fn kept_for_elsewhere(
    (before, sealed_for): (&Connection, &BTreeSet<Origin>),
    sent: &BTreeSet<String>,
    draft: &Draft,
) -> Vec<ValueError> {
    let is_elsewhere = !draft.destinations.is_subset(sealed_for)
        || destination_fields_changed(draft.connection_type, &before.values.settings, &draft.settings);
    let kept = draft.secrets.fields().filter(|field| !sent.contains(*field));
    let reenter = "The address where it is sent changed: enter it again.";
    let error = |field: &str| ValueError::new(format!("/secrets/{field}"), "reenter", reenter);
    kept.filter(|_| is_elsewhere).map(error).collect()
}

/// Gives a connection new values, and the health that goes with them: what the test of these values found, or nothing.
///
/// The end of the credential before is not that of a new one: the caller clears it, unless a person names one.
pub fn set_values(connection: &mut Connection, draft: &Draft, tested: Option<&Tested>) {
    connection.values.settings.clone_from(&draft.settings);
    connection.values.secret_fields = draft.secrets.fields().map(str::to_owned).collect();
    set_health(connection, tested);
}

fn set_health(connection: &mut Connection, tested: Option<&Tested>) {
    let Some(tested) = tested else {
        connection.health = Health::never_tested();
        connection.last_attempt = None;
        connection.found = Found::default();
        return;
    };
    let attempt = tested.attempt();
    connection.health = Health::first(&attempt);
    connection.last_attempt = Some(attempt);
    connection.found = tested.found();
    connection.dates.expires_at = tested.finding.expires_at.or(connection.dates.expires_at);
}

/// The current revision of a connection, as its history keeps it.
#[must_use]
pub fn revision(
    connection: &Connection,
    secret_changes: BTreeMap<String, SecretChange>,
    note: Option<Note>,
    restored_from: Option<u64>,
) -> Revision {
    Revision {
        number: connection.history.revision,
        settings: connection.values.settings.clone(),
        settings_before: None,
        secret_fields: connection.values.secret_fields.clone(),
        secrets_revision: connection.values.secrets_revision,
        secret_changes,
        restored_from,
        note,
        author: connection.history.modified_by.clone(),
        created_at: connection.history.modified_at,
        verdict: connection.health.verdict,
        reason: connection.health.reason,
    }
}

/// Leaves the blob of a commit that was not done to the scheduled handler, unless a row names it after all.
pub async fn leave_blob(app: &App, sealed: Option<&Sealed>) {
    if let Some(sealed) = sealed {
        let garbage = vault_entries::insert_garbage(&sealed.vault_ref, store::secrets::garbage_due(app.now()));
        // What the caller is told does not depend on it.
        let _ = app.database.batch(vec![garbage]).await;
    }
}
