//! `POST /v1/connections`.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::claim::{Claim, Identity};
use crate::api::error::{ApiError, ValueError};
use crate::api::extract::{Body, InQuery, Parsed};
use crate::api::idempotency::{self, Created, Idempotency};
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::catalog::provider::ConnectionType;
use crate::domain::connection::{
    Basis, Connection, Dates, Found, History, Kind, Label, SuppliedBy, Switches, UsageSummary, Values,
};
use crate::domain::environment::Environment;
use crate::domain::event::EventType;
use crate::domain::health::Health;
use crate::domain::id::ConnectionId;
use crate::domain::revision::{Revision, SecretChange};
use crate::domain::scope::Scope;
use crate::domain::text::{Customer, Description, MAX_TAGS, Name, Note, StableKey, Tag};
use crate::domain::time::Timestamp;
use crate::domain::values::{Secrets, Settings};
use crate::store::sources::{self, Sources};
use crate::store::{self, connections, templates};
use crate::vault::{KeyRing, Sealed};

use super::layers::{Edited, Edits, Laid, Layer};
use super::tested::{Tested, test_before_save};
use super::values::{check_key, find_key_check};
use super::view::{ConnectionView, with_version};
use super::whose::{Settled, Whose};
use super::{record, values};

/// How values are saved.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SaveQuery {
    /// Whether the values are tested before they are saved.
    #[serde(default = "yes")]
    #[param(default = true)]
    pub test: bool,
}

/// What is done unless somebody says otherwise.
#[must_use]
pub const fn yes() -> bool {
    true
}

/// A new connection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateConnection {
    /// The environment that it belongs to.
    pub environment: Environment,
    /// Whose credentials it holds.
    #[serde(default = "organization")]
    #[schema(default = "organization")]
    pub kind: Kind,
    /// The key of its provider; may be left out under a template.
    #[schema(example = "slack")]
    pub provider: Option<String>,
    /// The key of its connection type; may be left out under a template.
    #[schema(example = "incoming_webhook")]
    pub connection_type: Option<String>,
    /// The template that a customer's connection stands under, one for each customer. Without it the connection stands alone.
    pub template: Option<ConnectionId>,
    /// The customer whose connection it is, by the organization's own id.
    pub customer: Option<Customer>,
    /// Of a template: who enters what each customer has of its own; the customer where left out.
    pub supplied_by: Option<SuppliedBy>,
    /// Of a template: the fields of which each customer has values of its own; as the provider file says where left out. The
    /// other fields are global, and entered here.
    pub customer_fields: Option<BTreeSet<String>>,
    /// Its name; that of the template where left out under one.
    #[schema(example = "Alerts")]
    pub name: Option<Name>,
    /// Its description.
    pub description: Option<Description>,
    /// The name under which workflows find it in every environment; where left out that of the template, or suggested from the
    /// name.
    pub stable_key: Option<StableKey>,
    /// Its tags, at most 20.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub tags: BTreeSet<Tag>,
    /// Its settings, by field.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: Settings,
    /// Its secrets, by field. They are never shown again but by reveal and to workflows.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, write_only)]
    pub secrets: Secrets,
    /// Whether it is resolved and exposed at all.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
    /// Whether embedded workflows may use it.
    #[serde(default)]
    pub embedded: bool,
    /// When the credential expires.
    #[serde(default, deserialize_with = "crate::api::extract::time")]
    pub expires_at: Option<Timestamp>,
    /// By when it should be rotated.
    #[serde(default, deserialize_with = "crate::api::extract::time")]
    pub rotate_by: Option<Timestamp>,
    /// Why, for its history.
    pub note: Option<Note>,
}

/// POST /v1/connections
///
/// Creates a connection: of the organization, a template that customers' connections stand under, or a customer's. Its values
/// are tested first, for 10 seconds at most; failing ones are saved all the same, and the answer tells the reason. A template
/// is tested with its test credentials, once it has some.
#[utoipa::path(
    post, path = "/v1/connections", tag = "Connections", request_body = CreateConnection,
    params(SaveQuery, ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request safe.")),
    responses((status = 201, description = "The connection", body = ConnectionView), ChangeProblems)
)]
pub async fn create_connection(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<SaveQuery>>,
    idempotency: Parsed<Idempotency>,
    body: Parsed<Body<CreateConnection>>,
) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let idempotency = claim.accept(&app, idempotency).await?;
    let Body { value: body, bytes } = claim.accept(&app, body).await?;
    let asked = body.stable_key.clone().or_else(|| body.name.as_ref().map(StableKey::suggest));
    let customer = body.customer.as_ref().map_or("", Customer::as_str);
    let taken = match &asked {
        Some(key) => connections::is_stable_key_taken(body.environment, customer, key),
        None => store::nothing().map(|()| false),
    };
    let template = body.template.as_ref().map_or_else(|| store::nothing().map(|()| None), sources::find);
    let wanted = idempotency.find(&claim).and(taken).and(find_key_check(&app)).and(template);
    let (who, (((answered, is_taken), key_check), template)) = claim.load(&app, wanted).await?;
    who.authorize_in(Scope::ConnectionsWrite, body.environment)?;
    let ring = app.ring()?;
    if let Some(response) = idempotency.replay(ring, &bytes, answered)? {
        return Ok(with_version(response, 1));
    }
    check_key(ring, ring.primary_id(), key_check.as_deref())?;
    let made = Made {
        template: template.as_ref(),
        is_taken,
        test: query.test,
        body: &|connection| serde_json::to_string(&ConnectionView::new(connection, app.radar())).unwrap_or_default(),
    };
    make((&app, &claim, ring, &who), body, made, (&idempotency, &bytes)).await
}

/// What is made beside what the body says.
pub struct Made<'a> {
    /// The template that it stands under.
    pub template: Option<&'a Sources>,
    /// Whether its stable key is known to be taken.
    pub is_taken: bool,
    /// Whether its values are tested first.
    pub test: bool,
    /// How it is shown.
    pub body: &'a (dyn Fn(&Connection) -> String + Send + Sync),
}

/// Makes a connection for a caller who may.
///
/// # Errors
/// When the body is wrong, its stable key is taken, or the storage failed.
pub async fn make(
    (app, claim, ring, who): (&App, &Claim, &KeyRing, &Identity),
    body: CreateConnection,
    made: Made<'_>,
    (idempotency, bytes): (&Idempotency, &[u8]),
) -> Result<Response, ApiError> {
    let Made { template, is_taken, test, body: shown } = made;
    check_tags(&body.tags)?;
    let id = ConnectionId::new(app.now(), app.random());
    let is_chosen = body.stable_key.is_some();
    let (begun, values) = begin(app, who, (id, body), template)?;
    let Begun { mut connection, connection_type, note } = begun;
    if is_taken && is_chosen {
        return Err(ApiError::StableKeyTaken);
    }
    if is_taken {
        connection.label.stable_key = suffixed(app, &connection.label.stable_key);
    }
    let laid = Laid {
        connection_type,
        below: template.map(|found| Layer::of(&found.connection, found.entry.as_ref(), Edits::default())),
        above: Layer::new(values),
        customer_fields: customer_fields(&connection, template),
    };
    let Edited { draft, .. } = laid.check(app, ring).await?;
    let template_revision = template.map(|found| found.connection.history.revision);
    let basis = Basis { revision: 1, template_revision, test_version: None };
    let may_test = test && connection.definition.is_none();
    let tested = test_before_save(app, &draft, (connection.id.as_str(), basis), may_test).await?;
    values::set_values(&mut connection, &draft, tested.as_ref());
    if tested.is_none() && draft.waits_for_consent() && connection.definition.is_none() {
        connection.health = Health::not_authorized();
    }

    let sealed = draft.seal(app, ring, (connection.id.as_str(), connection.environment, 1)).await?;
    connection.values.secrets_revision = sealed.as_ref().map(|sealed| sealed.context.number);
    let mut new = New { connection, note, sealed, tested, template_revision };
    let mut answer = new.commit((app, claim, ring, who), (idempotency, bytes), shown).await;
    if matches!(answer, Err(ApiError::StableKeyTaken)) && !is_chosen {
        // Somebody took the suggested key meanwhile.
        new.connection.label.stable_key = suffixed(app, &new.connection.label.stable_key);
        answer = new.commit((app, claim, ring, who), (idempotency, bytes), shown).await;
    }
    if answer.as_ref().map_or(true, idempotency::is_replayed) {
        values::leave_blob(app, new.sealed.as_ref()).await;
    }
    Ok(with_version(answer?, 1))
}

/// The kind of a connection unless somebody says otherwise.
#[must_use]
pub const fn organization() -> Kind {
    Kind::Organization
}

/// The fields that customers have themselves, where a template is involved.
fn customer_fields<'a>(connection: &'a Connection, template: Option<&'a Sources>) -> Option<&'a BTreeSet<String>> {
    let template = template.map_or(connection, |found| &found.connection);
    template.definition.as_ref().map(|definition| &definition.customer_fields)
}

/// A connection that has no values yet.
struct Begun {
    connection: Connection,
    connection_type: &'static ConnectionType,
    note: Option<Note>,
}

/// Makes the connection that a body describes, and its values apart.
fn begin(
    app: &App,
    who: &Identity,
    (id, body): (ConnectionId, CreateConnection),
    template: Option<&Sources>,
) -> Result<(Begun, Edits), ApiError> {
    let template = template.map(|found| &found.connection);
    let whose = Whose {
        environment: body.environment,
        kind: body.kind,
        provider: body.provider,
        connection_type: body.connection_type,
        template: body.template,
        customer: body.customer,
        supplied_by: body.supplied_by,
        customer_fields: body.customer_fields,
    };
    let Settled { connection_type, provider, owner, definition } = whose.settle(template)?;
    if owner.kind == Kind::Customer && body.embedded {
        return Err(ApiError::invalid(
            "/embedded",
            "A customer's connection is seen by that customer alone: leave it out.",
        ));
    }
    if owner.kind == Kind::Customer && owner.customer.is_none() {
        return Err(ApiError::InvalidBody(vec![ValueError::new("/customer", "missing", "Name the customer.")]));
    }
    let inherited = template.map(|template| &template.label);
    let Some(name) = body.name.or_else(|| inherited.map(|label| label.name.clone())) else {
        return Err(ApiError::InvalidBody(vec![ValueError::new("/name", "missing", "Give it a name.")]));
    };
    let stable_key = body.stable_key.or_else(|| inherited.map(|label| label.stable_key.clone()));
    let stable_key = stable_key.unwrap_or_else(|| StableKey::suggest(&name));
    let now = app.now();
    let connection = Connection {
        id,
        environment: body.environment,
        provider,
        connection_type: connection_type.key.clone(),
        owner,
        label: Label {
            name,
            description: body.description.unwrap_or_else(Description::none),
            stable_key,
            tags: body.tags,
        },
        definition,
        values: Values::default(),
        test_credentials: None,
        switches: Switches { enabled: body.enabled, embedded: body.embedded },
        health: Health::never_tested(),
        last_attempt: None,
        found: Found::default(),
        dates: Dates { expires_at: body.expires_at, rotate_by: body.rotate_by },
        usage: UsageSummary::default(),
        history: History {
            version: 1,
            revision: 1,
            created_at: now,
            created_by: who.actor.clone(),
            modified_at: now,
            modified_by: who.actor.clone(),
        },
    };
    let values = Edits::entered(body.settings, body.secrets);
    Ok((Begun { connection, connection_type, note: body.note }, values))
}

/// What a commit stores.
struct New {
    connection: Connection,
    note: Option<Note>,
    sealed: Option<Sealed>,
    tested: Option<Tested>,
    /// The revision of the template, where it stands under one, that its values go with.
    template_revision: Option<u64>,
}

impl New {
    async fn commit(
        &self,
        (app, claim, ring, who): (&App, &Claim, &KeyRing, &Identity),
        (idempotency, bytes): (&Idempotency, &[u8]),
        shown: &(dyn Fn(&Connection) -> String + Send + Sync),
    ) -> Result<Response, ApiError> {
        let Self { connection, note, sealed, tested, template_revision } = self;
        let mut commit = record::begin((app, who), EventType::Created, (None, connection), Some(1))?;
        let template = connection.owner.template.as_ref().zip(*template_revision);
        commit.extend(template.map(|(template, revision)| templates::expect_revision(template, revision)));
        commit.push(connections::insert(connection));
        let revision = first_revision(connection, note.clone());
        commit.push(store::history::insert_revision(&connection.id, &revision));
        commit.extend(sealed.iter().map(|sealed| store::vault_entries::insert(sealed, app.now())));
        commit.extend(tested.iter().map(|tested| store::tests::insert(&connection.id, &tested.test)));
        let body = shown(connection);
        let created = Created { id: connection.id.to_string(), body, shows_secret: false };
        idempotency.commit((app, claim, ring), bytes, commit, created).await
    }
}

fn suffixed(app: &App, key: &StableKey) -> StableKey {
    key.with_suffix(u16::from_be_bytes(app.random()))
}

/// Refuses too many tags.
///
/// # Errors
/// 422 when there are more than 20.
pub fn check_tags(tags: &BTreeSet<Tag>) -> Result<(), ApiError> {
    if tags.len() <= MAX_TAGS { Ok(()) } else { Err(ApiError::invalid("/tags", "Expected at most 20 tags.")) }
}

fn first_revision(connection: &Connection, note: Option<Note>) -> Revision {
    let added: BTreeMap<String, SecretChange> =
        connection.values.secret_fields.iter().map(|field| (field.clone(), SecretChange::Added)).collect();
    values::revision(connection, added, note, None)
}
