//! Values in layers: one set laid over another, with changes.
//!
//! Each layer keeps its own secrets, sealed for the destinations that it was made for: what another layer, or a change, would
//! send elsewhere has to be entered again.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future;
use serde_json::Value;

use crate::api::error::{ApiError, ValueError};
use crate::app::App;
use crate::catalog::destinations::destination_fields_changed;
use crate::catalog::provider::ConnectionType;
use crate::catalog::values::Part;
use crate::domain::connection::Connection;
use crate::domain::origin::Origin;
use crate::domain::revision::{Revision, SecretChange};
use crate::domain::values::{Secret, Secrets, Settings};
use crate::store::sources::Sources;
use crate::vault::{Entry, KeyRing};

use super::values::{self, Draft};

/// Changes of values: what is not named is kept, null clears.
#[derive(Default)]
pub struct Edits {
    /// Of the settings.
    pub settings: BTreeMap<String, Option<Value>>,
    /// Of the secrets.
    pub secrets: BTreeMap<String, Option<Secret>>,
}

impl Edits {
    /// All values there are, where there were none.
    #[must_use]
    pub fn entered(settings: Settings, secrets: Secrets) -> Self {
        Self {
            settings: settings.into_iter().map(|(field, value)| (field, Some(value))).collect(),
            secrets: secrets.0.into_iter().map(|(field, secret)| (field, Some(secret))).collect(),
        }
    }

    /// The same changes once more. Deliberately no `Clone`, as for secrets.
    #[must_use]
    pub fn copy(&self) -> Self {
        let secrets = self.secrets.iter().map(|(field, secret)| (field.clone(), secret.as_ref().map(Secret::copy)));
        Self { settings: self.settings.clone(), secrets: secrets.collect() }
    }

    /// The changes of some fields, and the changes of the others.
    #[must_use]
    pub fn split(self, wanted: &BTreeSet<String>) -> (Self, Self) {
        let (settings, other_settings) = self.settings.into_iter().partition(|(field, _)| wanted.contains(field));
        let (secrets, other_secrets) = self.secrets.into_iter().partition(|(field, _)| wanted.contains(field));
        (Self { settings, secrets }, Self { settings: other_settings, secrets: other_secrets })
    }

    /// What is wrong with changing, here, fields of the connection type that are not these.
    pub fn outside<'a>(
        &'a self,
        fields: &'a BTreeSet<String>,
        of: &'a ConnectionType,
    ) -> impl Iterator<Item = ValueError> + 'a {
        let settings = self.settings.keys().map(|field| ("settings", field));
        let named = settings.chain(self.secrets.keys().map(|field| ("secrets", field)));
        let foreign = named.filter(|(_, field)| !fields.contains(*field) && of.field(field).is_some());
        let sentence = "The template has this value for all customers: leave it out.";
        foreign.map(move |(group, field)| ValueError::new(format!("/{group}/{field}"), "global", sentence))
    }
}

/// One set of values as it is stored, and how it is to be changed.
#[derive(Default)]
pub struct Layer<'a> {
    settings: Option<&'a Settings>,
    secret_fields: Option<&'a BTreeSet<String>>,
    sealed: Option<u64>,
    entry: Option<&'a Entry>,
    edits: Edits,
}

impl<'a> Layer<'a> {
    /// Values that are entered now.
    #[must_use]
    pub fn new(edits: Edits) -> Self {
        Self { edits, ..Self::default() }
    }

    /// The values of a revision.
    #[must_use]
    pub fn of_revision(revision: &'a Revision, entry: Option<&'a Entry>) -> Self {
        Self {
            settings: Some(&revision.settings),
            secret_fields: Some(&revision.secret_fields),
            sealed: revision.secrets_revision,
            entry,
            edits: Edits::default(),
        }
    }

    /// The values of a connection.
    #[must_use]
    pub fn of(connection: &'a Connection, entry: Option<&'a Entry>, edits: Edits) -> Self {
        let values = &connection.values;
        Self {
            settings: Some(&values.settings),
            secret_fields: Some(&values.secret_fields),
            sealed: values.secrets_revision,
            entry,
            edits,
        }
    }

    /// The test credentials of a connection; empty where it has none.
    #[must_use]
    pub fn of_test(sources: &'a Sources, edits: Edits) -> Self {
        let Some(test) = &sources.connection.test_credentials else { return Self::new(edits) };
        Self {
            settings: Some(&test.settings),
            secret_fields: Some(&test.secret_fields),
            sealed: (!test.secret_fields.is_empty()).then_some(test.version),
            entry: sources.test_entry.as_ref(),
            edits,
        }
    }

    /// The fields that have a value once the changes are laid over them.
    fn fields_after(&self) -> BTreeSet<String> {
        let settings = self.settings.into_iter().flat_map(BTreeMap::keys);
        let stored: BTreeSet<&String> = settings.chain(self.secret_fields.into_iter().flatten()).collect();
        let is_kept = |field: &&String| {
            let is_cleared = matches!(self.edits.settings.get(*field), Some(None));
            !is_cleared && !matches!(self.edits.secrets.get(*field), Some(None))
        };
        let set_settings = self.edits.settings.iter().filter(|(_, value)| value.is_some()).map(|(field, _)| field);
        let set_secrets = self.edits.secrets.iter().filter(|(_, value)| value.is_some()).map(|(field, _)| field);
        stored.into_iter().filter(is_kept).chain(set_settings).chain(set_secrets).cloned().collect()
    }

    async fn open(self, app: &App, ring: &KeyRing) -> Result<OpenLayer, ApiError> {
        let sent: BTreeSet<String> = self.edits.secrets.keys().cloned().collect();
        let fields = self.secret_fields.cloned().unwrap_or_default();
        let before = match values::open(app, ring, self.sealed, self.entry).await {
            Ok(opened) => Some(opened.secrets),
            // Secrets that do not open must not stand in the way of those that replace all of them.
            Err(_) if fields.is_subset(&sent) => None,
            Err(error) => return Err(error),
        };
        let settings = self.settings.cloned().unwrap_or_default();
        Ok(OpenLayer {
            settings_after: overlay(settings.clone(), self.edits.settings),
            settings,
            secrets_after: overlay(before.as_ref().map(copy).unwrap_or_default(), self.edits.secrets),
            fields,
            before,
            sent,
            sealed_for: self.entry.map(|entry| entry.context.destinations.clone()).unwrap_or_default(),
        })
    }
}

/// A layer with its secrets.
struct OpenLayer {
    settings: Settings,
    settings_after: Settings,
    secrets_after: BTreeMap<String, Secret>,
    /// The fields that had a secret, and the secrets where they opened.
    fields: BTreeSet<String>,
    before: Option<Secrets>,
    sent: BTreeSet<String>,
    sealed_for: BTreeSet<Origin>,
}

/// Values laid over each other, with changes.
pub struct Edited {
    /// The effective values after.
    pub draft: Draft,
    /// What became of each secret of the uppermost layer.
    pub secret_changes: BTreeMap<String, SecretChange>,
    /// Where the secrets of the uppermost layer were sealed for before.
    pub sealed_for: BTreeSet<Origin>,
}

/// How layers make up one set of values.
pub struct Laid<'a> {
    /// The connection type.
    pub connection_type: &'static ConnectionType,
    /// What the lower layer is: none for one layer alone.
    pub below: Option<Layer<'a>>,
    /// The layer whose values are stored, or tested.
    pub above: Layer<'a>,
    /// The fields that customers have themselves, where a template is involved.
    pub customer_fields: Option<&'a BTreeSet<String>>,
}

impl Laid<'_> {
    /// Opens the layers, lays them and their changes over each other, and checks the whole.
    ///
    /// # Errors
    /// 422 when the values do not fit, or secrets must be entered again; when stored ones do not open.
    pub async fn check(self, app: &App, ring: &KeyRing) -> Result<Edited, ApiError> {
        let Self { connection_type, below, above, customer_fields } = self;
        // The upper layer holds what customers have, or what test credentials name.
        let own = below.is_some().then(|| customer_fields.cloned().unwrap_or_else(|| above.fields_after()));
        if let (Some(_), Some(fields)) = (&below, customer_fields) {
            ApiError::refuse(above.edits.outside(fields, connection_type).collect())?;
        }
        let below = async {
            match below {
                Some(below) => below.open(app, ring).await.map(Some),
                None => Ok(None),
            }
        };
        let (below, mut above) = future::try_join(below, above.open(app, ring)).await?;
        let part = match (&own, customer_fields) {
            (Some(own), _) => Part::Merged(own),
            (None, Some(fields)) => Part::Global(fields),
            (None, None) => Part::Whole,
        };
        let mut settings = below.as_ref().map(|below| below.settings_after.clone()).unwrap_or_default();
        settings.extend(std::mem::take(&mut above.settings_after));
        let inherited = below.as_ref().map(|below| &below.secrets_after);
        let mut secrets: BTreeMap<String, Secret> =
            inherited.into_iter().flatten().map(|(field, secret)| (field.clone(), secret.copy())).collect();
        let covered: BTreeSet<String> = above.secrets_after.keys().cloned().collect();
        secrets.extend(std::mem::take(&mut above.secrets_after));
        let mut draft =
            Draft::check(app, connection_type, part, settings, Secrets(secrets)).map_err(ApiError::InvalidBody)?;
        draft.own = own;

        let mut kept = Vec::new();
        let mut stored = Settings::new();
        if let Some(below) = &below {
            stored.extend(below.settings.clone());
            kept.extend(kept_for_elsewhere(below, &stored, &draft, &covered));
        }
        stored.extend(above.settings.clone());
        kept.extend(kept_for_elsewhere(&above, &stored, &draft, &BTreeSet::new()));
        ApiError::refuse(kept)?;
        let secret_changes = draft.compare(&above.fields, above.before.as_ref());
        Ok(Edited { draft, secret_changes, sealed_for: above.sealed_for })
    }
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

/// The kept secrets of a layer that have to be entered again, because they would go where they were not sealed for. `stored` is
/// what decided until now: the settings of the layer and of those below it. `covered` are secrets of a layer above.
fn kept_for_elsewhere(
    layer: &OpenLayer,
    stored: &Settings,
    draft: &Draft,
    covered: &BTreeSet<String>,
) -> Vec<ValueError> {
    let is_elsewhere = !draft.destinations.is_subset(&layer.sealed_for)
        || destination_fields_changed(draft.connection_type, stored, &draft.settings);
    let is_kept = |field: &&String| {
        !layer.sent.contains(*field) && !covered.contains(*field) && draft.secrets.0.contains_key(*field)
    };
    if !is_elsewhere {
        return Vec::new();
    }
    layer.fields.iter().filter(is_kept).map(|field| reenter(field)).collect()
}

/// That a secret has to be entered again.
#[must_use]
pub fn reenter(field: &str) -> ValueError {
    let sentence = "The address where it is sent changed: enter it again.";
    ValueError::new(format!("/secrets/{field}"), "reenter", sentence)
}
