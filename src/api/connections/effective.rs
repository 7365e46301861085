//! Effective values: what a connection is resolved to and tested with. A template's global values lie below those of a
//! customer; test credentials lie above what they take the place of.

use std::collections::BTreeSet;

use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::error::ApiError;
use crate::app::App;
use crate::catalog::provider::ConnectionType;
use crate::catalog::values::Part;
use crate::domain::connection::Kind;
use crate::domain::revision::Revision;
use crate::domain::values::{Secrets, Settings};
use crate::store::sources::Sources;
use crate::vault::{Entry, KeyRing};

use super::layers::{Edited, Edits, Laid, Layer, reenter};
use super::values::{self, Draft, type_of};

/// What values are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A run of a workflow.
    #[default]
    Run,
    /// A test run of the builder: with the test credentials. A connection of the organization that has none uses its own
    /// values; a template is tested in no other way.
    Test,
}

/// The values of a new connection: those that were entered, over the global ones where it stands under a template.
///
/// # Errors
/// See [`Laid::check`].
pub async fn entered(
    app: &App,
    connection_type: &'static ConnectionType,
    template: Option<&Sources>,
    (settings, secrets): (Settings, Secrets),
) -> Result<Draft, ApiError> {
    let Some(template) = template else {
        return Draft::check(app, connection_type, Part::Whole, settings, secrets).map_err(ApiError::InvalidBody);
    };
    let laid = Laid {
        connection_type,
        below: Some(Layer::of(&template.connection, template.entry.as_ref(), Edits::default())),
        above: Layer::new(Edits::entered(settings, secrets)),
        customer_fields: customer_fields(template),
    };
    Ok(laid.check(app, app.ring()?).await?.draft)
}

/// The values of a connection with changes laid over them, as they would be stored.
///
/// # Errors
/// See [`Laid::check`].
pub async fn edited(app: &App, ring: &KeyRing, sources: &Sources, edits: Edits) -> Result<Edited, ApiError> {
    let connection = &sources.connection;
    if connection.values.must_reenter() {
        let kept = connection.values.secret_fields.iter().filter(|field| !edits.secrets.contains_key(*field));
        ApiError::refuse(kept.map(|field| reenter(field)).collect())?;
    }
    let below = sources.template.as_ref();
    let laid = Laid {
        connection_type: type_of(connection)?,
        below: below.map(|template| Layer::of(template, sources.template_entry.as_ref(), Edits::default())),
        above: Layer::of(connection, sources.entry.as_ref(), edits),
        customer_fields: customer_fields(sources),
    };
    laid.check(app, ring).await
}

/// The values of an older revision, checked against today's catalogue and the destinations that they were sealed for.
///
/// # Errors
/// 409 with what does not fit; when the secrets do not open.
pub async fn restored(
    app: &App,
    ring: &KeyRing,
    sources: &Sources,
    (revision, entry): (&Revision, Option<&Entry>),
) -> Result<Edited, ApiError> {
    let connection = &sources.connection;
    if revision.secrets_revision.is_some_and(|sealed| sealed <= connection.values.reenter_through) {
        let errors = revision.secret_fields.iter().map(|field| reenter(field)).collect();
        return Err(ApiError::RevisionIncompatible(errors));
    }
    let below = sources.template.as_ref();
    let laid = Laid {
        connection_type: type_of(connection)?,
        below: below.map(|template| Layer::of(template, sources.template_entry.as_ref(), Edits::default())),
        above: Layer::of_revision(revision, entry),
        customer_fields: customer_fields(sources),
    };
    laid.check(app, ring).await.map_err(|error| match error {
        ApiError::InvalidBody(errors) => ApiError::RevisionIncompatible(errors),
        error => error,
    })
}

/// The test credentials of a connection with changes laid over them, as they would be stored.
///
/// # Errors
/// See [`Laid::check`].
pub async fn edited_test(app: &App, ring: &KeyRing, sources: &Sources, edits: Edits) -> Result<Edited, ApiError> {
    let connection = &sources.connection;
    let laid = Laid {
        connection_type: type_of(connection)?,
        below: Some(Layer::of(connection, sources.entry.as_ref(), Edits::default())),
        above: Layer::of_test(sources, edits),
        customer_fields: customer_fields(sources),
    };
    laid.check(app, ring).await
}

/// The values with which a connection is tested, changes laid over them.
///
/// # Errors
/// See [`Laid::check`]; 409 for a template without test credentials.
pub async fn to_test(
    app: &App,
    ring: &KeyRing,
    sources: &Sources,
    (purpose, edits): (Purpose, Edits),
) -> Result<Draft, ApiError> {
    let connection = &sources.connection;
    let draft = match (&connection.definition, purpose) {
        (Some(definition), _) => {
            let (of_test, of_template) = edits.split(&definition.customer_fields);
            let is_entered = !of_test.settings.is_empty() || !of_test.secrets.is_empty();
            if connection.test_credentials.is_none() && !is_entered && !definition.customer_fields.is_empty() {
                return Err(NO_TEST_CREDENTIALS);
            }
            let laid = Laid {
                connection_type: type_of(connection)?,
                below: Some(Layer::of(connection, sources.entry.as_ref(), of_template)),
                above: Layer::of_test(sources, of_test),
                customer_fields: Some(&definition.customer_fields),
            };
            laid.check(app, ring).await?.draft
        }
        (None, Purpose::Test) if connection.owner.kind == Kind::Organization => {
            edited_test(app, ring, sources, edits).await?.draft
        }
        (None, _) => edited(app, ring, sources, edits).await?.draft,
    };
    Ok(draft)
}

const NO_TEST_CREDENTIALS: ApiError = ApiError::NotResolvable(
    "test_credentials_missing",
    "The template has no test credentials: set them with PATCH /v1/connections/{id}/test-credentials.",
);

/// The values that a workflow gets.
///
/// # Errors
/// 409 where they are not complete, or would be sent where they were not meant to go; when they do not open.
pub async fn resolved(app: &App, sources: &Sources, purpose: Purpose) -> Result<(Settings, Secrets), ApiError> {
    let connection = &sources.connection;
    if connection.values.must_reenter() {
        return Err(DESTINATION_CHANGED);
    }
    // Where tokens are obtained, the settings say as well: whether the secrets were sealed for it has to be seen.
    let is_plain = connection.definition.is_none()
        && sources.template.is_none()
        && type_of(connection)?.oauth.is_none()
        && (purpose == Purpose::Run || connection.test_credentials.is_none());
    if is_plain {
        // Without a secret there is nothing to open, and a missing master key is no reason to refuse.
        let secrets = match connection.values.secrets_revision {
            Some(_) => {
                let sealed = connection.values.secrets_revision;
                values::open(app, app.ring()?, sealed, sources.entry.as_ref()).await?.secrets
            }
            None => Secrets::default(),
        };
        return Ok((connection.values.settings.clone(), secrets));
    }
    let draft = to_test(app, app.ring()?, sources, (purpose, Edits::default())).await.map_err(|error| match error {
        ApiError::InvalidBody(errors) if errors.iter().any(|error| error.code == "reenter") => DESTINATION_CHANGED,
        ApiError::InvalidBody(_) => INCOMPLETE,
        error => error,
    })?;
    Ok((draft.settings, draft.secrets))
}

/// Values are missing, or do not fit any more.
pub const INCOMPLETE: ApiError = ApiError::NotResolvable(
    "connection_incomplete",
    "A required value is missing, or does not fit any more: enter it.",
);

/// The secrets have to be entered again.
pub const DESTINATION_CHANGED: ApiError = ApiError::NotResolvable(
    "destination_changed",
    "The address where its secrets go changed: enter the secrets again.",
);

/// The fields that customers have themselves, where a template is involved.
fn customer_fields(sources: &Sources) -> Option<&BTreeSet<String>> {
    let template = sources.template.as_ref().unwrap_or(&sources.connection);
    template.definition.as_ref().map(|definition| &definition.customer_fields)
}
