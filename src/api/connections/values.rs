//! The values of a connection on their way in: checked, tested, sealed. What create, update and restore have in common.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::error::{ApiError, ValueError};
use crate::app::App;
use crate::catalog::Catalog;
use crate::catalog::destinations::destinations;
use crate::catalog::fill::FillError;
use crate::catalog::provider::ConnectionType;
use crate::catalog::values::{Part, ValueProblem, check};
use crate::domain::connection::{Connection, Found};
use crate::domain::environment::Environment;
use crate::domain::health::Health;
use crate::domain::origin::Origin;
use crate::domain::revision::{Revision, SecretChange};
use crate::domain::text::Note;
use crate::domain::values::{Secret, Secrets, Settings};
use crate::egress::Refused;
use crate::store::connections::DatesChanged;
use crate::store::secrets::SecretsError;
use crate::store::{self, Query, secrets, vault_entries};
use crate::vault::{self, Context, Entry, KeyRing, Opened, Purpose, Sealed};

use super::lacking::Lacking;
use super::tested::Tested;
use super::tokens::Fresh;

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
    /// The fields whose values are stored with the connection; the others come from what they are laid over. None for all.
    pub own: Option<BTreeSet<String>>,
    /// The tokens of a person's consent with which it is tested, or why there are none; none before anybody asked.
    pub tokens: Option<Result<Fresh, Lacking>>,
}

impl Draft {
    /// Checks values against today's catalogue.
    ///
    /// # Errors
    /// Everything that is wrong with them, each with its pointer.
    pub fn check(
        app: &App,
        connection_type: &'static ConnectionType,
        part: Part<'_>,
        settings: Settings,
        secrets: Secrets,
    ) -> Result<Self, Vec<ValueError>> {
        let allow_http = app.config.allow_private_network;
        let checked = check(connection_type, settings, secrets, (part, allow_http)).map_err(value_errors)?;
        let destinations = match (destinations(connection_type, &checked.settings, &checked.secrets), part) {
            (Ok(destinations), _) => destinations,
            // Where they go is each customer's, so none of the secrets is global.
            (Err(FillError::Unset(_)), Part::Global(_)) if checked.secrets.is_empty() => BTreeSet::new(),
            // What was checked a moment ago fits; should it not, the sentence says why.
            (Err(unfit), _) => return Err(vec![ValueError::new("/settings", "invalid", unfit.to_string())]),
        };
        check_destinations(app, connection_type, &destinations)?;
        let (settings, secrets) = (checked.settings, checked.secrets);
        Ok(Self { connection_type, settings, secrets, destinations, own: None, tokens: None })
    }

    /// The settings that are stored with the connection.
    #[must_use]
    pub fn own_settings(&self) -> Settings {
        let own = self.settings.iter().filter(|(field, _)| self.is_own(field));
        own.map(|(field, value)| (field.clone(), value.clone())).collect()
    }

    /// The fields of the secrets that are stored with the connection.
    #[must_use]
    pub fn own_secret_fields(&self) -> BTreeSet<String> {
        self.secrets.fields().filter(|field| self.is_own(field)).map(str::to_owned).collect()
    }

    fn is_own(&self, field: &str) -> bool {
        self.own.as_ref().is_none_or(|own| own.contains(field))
    }

    /// What became of each secret that is stored with the connection.
    #[must_use]
    pub fn compare(&self, fields: &BTreeSet<String>, before: Option<&Secrets>) -> BTreeMap<String, SecretChange> {
        let mut changes = compare((fields, before), &self.secrets);
        changes.retain(|field, _| fields.contains(field) || self.is_own(field));
        changes
    }

    /// The hosts that a test of the values calls, each once.
    pub fn hosts(&self) -> BTreeSet<&str> {
        self.destinations.iter().map(Origin::host).collect()
    }

    /// Seals the secrets that are stored with the connection under a number, and stores the blob; nothing where there is no
    /// secret.
    ///
    /// # Errors
    /// When the master key is missing, or the blob store failed.
    pub async fn seal(
        &self,
        app: &App,
        ring: &KeyRing,
        (owner, environment, number): (&str, Environment, u64),
    ) -> Result<Option<Sealed>, ApiError> {
        let own = self.secrets.0.iter().filter(|(field, _)| self.is_own(field));
        let own: Secrets = own.map(|(field, secret)| (field.clone(), secret.copy())).collect();
        if own.is_empty() {
            return Ok(None);
        }
        let context = Context {
            environment,
            owner_id: owner.to_owned(),
            purpose: Purpose::Values,
            number,
            destinations: self.destinations.clone(),
        };
        seal(app, ring, context, &own).await.map(Some)
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
///
/// # Errors
/// Those that may not, at the field that decides.
pub fn check_destinations(
    app: &App,
    of: &ConnectionType,
    destinations: &BTreeSet<Origin>,
) -> Result<(), Vec<ValueError>> {
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

/// What is wrong with values, as problems.
#[must_use]
pub fn value_errors(problems: Vec<ValueProblem>) -> Vec<ValueError> {
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

/// Opens the secrets of a revision whose entry has the number `sealed`; none where there is none.
///
/// # Errors
/// When they do not open: 503 where the master key is missing or another one, else a fault of ours.
pub async fn open(app: &App, ring: &KeyRing, sealed: Option<u64>, entry: Option<&Entry>) -> Result<Opened, ApiError> {
    let entry = match (sealed, entry) {
        (None, _) => return Ok(Opened { secrets: Secrets::default(), destinations: BTreeSet::new() }),
        (Some(_), Some(entry)) => entry,
        (Some(number), None) => return Err(SecretsError::Corrupt(format!("there is no entry {number}")).into()),
    };
    let opened = secrets::open(&*app.blobs, ring, app.now(), entry).await;
    if let Err(SecretsError::Corrupt(_)) = &opened {
        let known = vault_entries::find_key_check(entry.key_id).run(&*app.database).await?;
        check_key(ring, entry.key_id, known.as_deref())?;
    }
    Ok(opened?)
}

/// What became of each secret between two sets of them. Those of which only the fields are known count as changed.
fn compare((fields, before): (&BTreeSet<String>, Option<&Secrets>), after: &Secrets) -> BTreeMap<String, SecretChange> {
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

/// Gives a connection new values, and the health that goes with them: what the test of these values found, or nothing.
///
/// The end of the credential before is not that of a new one: the caller clears it, unless a person names one.
pub fn set_values(connection: &mut Connection, draft: &Draft, tested: Option<&Tested>) {
    connection.values.settings = draft.own_settings();
    connection.values.secret_fields = draft.own_secret_fields();
    set_health(connection, tested);
}

/// Forgets an expiry that was of other secrets, unless the person set one. Which dates then are the change's to write: what it does
/// not speak of is left as it stands, for a test may have found it since it was read.
pub fn set_dates(
    connection: &mut Connection,
    by_person: DatesChanged,
    secrets: &BTreeMap<String, SecretChange>,
    tested: Option<&Tested>,
) -> DatesChanged {
    let others = is_any_changed(secrets);
    if others && !by_person.expires_at {
        connection.dates.expires_at = None;
    }
    let found = tested.is_some_and(|tested| tested.finding.expires_at.is_some());
    DatesChanged { expires_at: by_person.expires_at || others || found, ..by_person }
}

/// Gives a connection the health that a test found, or none.
pub fn set_health(connection: &mut Connection, tested: Option<&Tested>) {
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
    // What a template is tested with ends for nobody else.
    if connection.definition.is_none() {
        connection.dates.expires_at = tested.finding.expires_at.or(connection.dates.expires_at);
    }
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
    leave_blobs(app, sealed.into_iter()).await;
}

/// Leaves several blobs, likewise.
pub async fn leave_blobs(app: &App, sealed: impl Iterator<Item = &Sealed>) {
    let due = store::secrets::garbage_due(app.now());
    let garbage: Vec<_> = sealed.map(|sealed| vault_entries::insert_garbage(&sealed.vault_ref, due)).collect();
    if !garbage.is_empty() {
        // What the caller is told does not depend on it.
        let _ = app.database.batch(garbage).await;
    }
}
