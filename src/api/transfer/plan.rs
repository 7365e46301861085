//! What an import would do to each connection, before anything is done.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::claim::Identity;
use crate::api::connections::consequence::Consequence;
use crate::api::connections::create::check_tags;
use crate::api::connections::layers::{Edits, Laid, Layer};
use crate::api::connections::values::{self, Draft, check_destinations, value_errors};
use crate::api::connections::whose::{Settled, Whose};
use crate::api::error::{ApiError, ValueError};
use crate::app::App;
use crate::catalog::destinations::destinations;
use crate::catalog::provider::ConnectionType;
use crate::catalog::values::{Part, check_definition};
use crate::domain::connection::{Connection, Dates, Found, History, Kind, Label, Switches, UsageSummary, Values};
use crate::domain::environment::Environment;
use crate::domain::health::Health;
use crate::domain::id::ConnectionId;
use crate::domain::revision::SecretChange;
use crate::domain::text::Description;
use crate::domain::values::{Secrets, Settings};
use crate::vault::Entry;

use super::document::Given;

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportAction)]
pub enum Action {
    /// It is created.
    Create,
    /// It is changed.
    Change,
    /// It is as the definition says.
    Unchanged,
    /// It cannot be what the definition says; nothing is imported.
    Conflict,
}

/// What an import does to one connection.
pub struct Step {
    /// What becomes of it.
    pub action: Action,
    /// The connection before, where there is one.
    pub before: Option<Connection>,
    /// The connection after; the one before, where nothing is done.
    pub after: Connection,
    /// The values after, where the import brings secrets.
    pub draft: Option<Draft>,
    /// What becomes of each secret.
    pub secret_changes: BTreeMap<String, SecretChange>,
    /// The fields of secrets that are still to be entered.
    pub needs_secrets: BTreeSet<String>,
    /// The template that it stands under, and the revision of it that its values go with.
    pub template: Option<(ConnectionId, u64)>,
    /// What follows from new values.
    pub consequence: Consequence,
    /// Why it cannot be done.
    pub conflict: Option<ValueError>,
}

impl Step {
    /// What differs from before.
    #[must_use]
    pub fn changes(&self) -> Vec<&'static str> {
        let Some(before) = self.before.as_ref().filter(|_| self.action == Action::Change) else { return Vec::new() };
        let (was, is) = (&before.label, &self.after.label);
        let changed = [
            ("name", was.name != is.name),
            ("description", was.description != is.description),
            ("tags", was.tags != is.tags),
            ("settings", before.values.settings != self.after.values.settings),
            ("secrets", values::is_any_changed(&self.secret_changes)),
        ];
        changed.into_iter().filter(|(_, is_changed)| *is_changed).map(|(name, _)| name).collect()
    }

    /// Whether the values become others: that makes a revision.
    #[must_use]
    pub fn is_revalued(&self) -> bool {
        let is_same = |before: &Connection| before.values.settings == self.after.values.settings;
        !self.before.as_ref().is_some_and(is_same) || values::is_any_changed(&self.secret_changes)
    }
}

/// A definition to plan, its kind and type known.
struct Wanted {
    environment: Environment,
    settled: Settled,
    given: Given,
}

/// A connection as it is stored, with the entry of its secrets.
pub type Stored = (Connection, Option<Entry>);

/// How the values of a definition are looked at.
#[derive(Clone, Copy)]
struct Frame<'a> {
    of: &'static ConnectionType,
    /// The fields that customers have themselves, of a template or under one.
    customer_fields: Option<&'a BTreeSet<String>>,
    /// The template below.
    under: Option<&'a Stored>,
}

impl<'a> Frame<'a> {
    fn of(settled: &'a Settled, under: Option<&'a Stored>) -> Self {
        let definition = under.map_or(settled.definition.as_ref(), |(template, _)| template.definition.as_ref());
        let customer_fields = definition.map(|definition| &definition.customer_fields);
        Self { of: settled.connection_type, customer_fields, under }
    }
}

/// The values of a definition, checked.
struct Checked {
    settings: Settings,
    draft: Option<Draft>,
    missing: BTreeSet<String>,
}

/// Plans what becomes of one connection.
///
/// # Errors
/// 422 with pointers into the definition when it says what cannot be; when stored secrets do not open.
pub async fn step(
    app: &App,
    (who, environment): (&Identity, Environment),
    (mut given, found): (Given, Option<Stored>),
    under: Option<&Stored>,
) -> Result<Step, ApiError> {
    if given.template.is_some() && under.is_none() {
        let detail =
            "There is no template with this stable key in this environment: import it first, in a part before.";
        return Err(ApiError::invalid("/template", detail));
    }
    let whose = Whose {
        environment,
        kind: given.kind,
        provider: Some(given.provider.clone()),
        connection_type: Some(given.connection_type.clone()),
        template: given.template.as_ref().and(under).map(|(template, _)| template.id.clone()),
        customer: given.customer.clone(),
        supplied_by: given.supplied_by,
        customer_fields: given.customer_fields.clone(),
    };
    let settled = whose.settle(under.map(|(template, _)| template))?;
    check_customer(&given)?;
    given.tags.as_ref().map_or(Ok(()), check_tags)?;
    let secrets = given.secrets.take();
    let wanted = Wanted { environment, settled, given };
    let mut step = match found {
        None => create(app, who, (wanted, secrets), under).await?,
        Some(before) => change(app, who, (wanted, secrets), (before, under)).await?,
    };
    step.template = under.map(|(template, _)| (template.id.clone(), template.history.revision));
    Ok(step)
}

/// Refuses a customer's connection without the customer, and one that would be exposed.
fn check_customer(given: &Given) -> Result<(), ApiError> {
    if given.kind != Kind::Customer {
        return Ok(());
    }
    let missing = given.customer.is_none().then(|| ValueError::new("/customer", "missing", "Name the customer."));
    let detail = "A customer's connection is seen by that customer alone: leave it out.";
    let exposed = given.embedded.then(|| ValueError::new("/embedded", "invalid", detail));
    ApiError::refuse(missing.into_iter().chain(exposed).collect())
}

/// Checks settings with all secrets where they come along; else with those that are there.
async fn check(
    app: &App,
    frame: Frame<'_>,
    settings: Settings,
    (secrets, kept): (Option<Secrets>, &BTreeSet<String>),
) -> Result<Checked, ApiError> {
    let Frame { of, customer_fields, under } = frame;
    if let Some(secrets) = secrets {
        let above = Layer::new(Edits::entered(settings, secrets));
        let below = under.map(|(template, entry)| Layer::of(template, entry.as_ref(), Edits::default()));
        let laid = Laid { connection_type: of, below, above, customer_fields };
        let draft = laid.check(app, app.ring()?).await?.draft;
        return Ok(Checked { settings: draft.own_settings(), missing: BTreeSet::new(), draft: Some(draft) });
    }
    let is_own = |field: &String| under.is_none() || customer_fields.is_some_and(|fields| fields.contains(field));
    if let (Some(_), Some(fields)) = (under, customer_fields) {
        ApiError::refuse(Edits::entered(settings.clone(), Secrets::default()).outside(fields, of).collect())?;
    }
    let part = match (customer_fields, under) {
        (None, _) => Part::Whole,
        (Some(fields), None) => Part::Global(fields),
        (Some(fields), Some(_)) => Part::Merged(fields),
    };
    let mut merged = under.map(|(template, _)| template.values.settings.clone()).unwrap_or_default();
    merged.extend(settings);
    let inherited = under.into_iter().flat_map(|(template, _)| &template.values.secret_fields);
    let kept: BTreeSet<String> = kept.iter().chain(inherited).cloned().collect();
    let checked = check_definition(of, merged, &kept, (part, app.config.allow_private_network));
    let checked = checked.map_err(|problems| ApiError::InvalidBody(value_errors(problems)))?;
    // What a secret, or a customer, decides is told when it is entered.
    if let Ok(destinations) = destinations(of, &checked.settings, &Secrets::default()) {
        check_destinations(app, of, &destinations).map_err(ApiError::InvalidBody)?;
    }
    let settings = checked.settings.into_iter().filter(|(field, _)| is_own(field)).collect();
    let missing = checked.missing.into_iter().filter(is_own).collect();
    Ok(Checked { settings, missing, draft: None })
}

async fn create(
    app: &App,
    who: &Identity,
    (wanted, secrets): (Wanted, Option<Secrets>),
    under: Option<&Stored>,
) -> Result<Step, ApiError> {
    let settings = wanted.given.settings.clone().unwrap_or_default();
    let frame = Frame::of(&wanted.settled, under);
    let checked = check(app, frame, settings, (secrets, &BTreeSet::new())).await?;
    let mut after = new_connection(app, who, wanted);
    let secret_changes = set_values(&mut after, &checked, None);
    Ok(Step {
        action: Action::Create,
        before: None,
        after,
        draft: checked.draft,
        secret_changes,
        needs_secrets: checked.missing,
        template: None,
        consequence: Consequence::default(),
        conflict: None,
    })
}

/// A connection that has no values yet.
fn new_connection(app: &App, who: &Identity, wanted: Wanted) -> Connection {
    let Wanted { environment, settled, given } = wanted;
    let now = app.now();
    Connection {
        id: ConnectionId::new(now, app.random()),
        environment,
        provider: settled.provider,
        connection_type: settled.connection_type.key.clone(),
        owner: settled.owner,
        label: Label {
            name: given.name,
            description: given.description.unwrap_or_else(Description::none),
            stable_key: given.stable_key,
            tags: given.tags.unwrap_or_default(),
        },
        definition: settled.definition,
        values: Values::default(),
        test_credentials: None,
        switches: Switches { enabled: given.enabled, embedded: given.embedded },
        health: Health::never_tested(),
        last_attempt: None,
        found: Found::default(),
        dates: Dates::default(),
        usage: UsageSummary::default(),
        history: History {
            version: 1,
            revision: 1,
            created_at: now,
            created_by: who.actor.clone(),
            modified_at: now,
            modified_by: who.actor.clone(),
        },
    }
}

/// Gives a connection the values of a definition, not tested, and tells what became of each secret.
fn set_values(after: &mut Connection, checked: &Checked, before: Option<&Secrets>) -> BTreeMap<String, SecretChange> {
    let fields = after.values.secret_fields.clone();
    let Some(draft) = &checked.draft else {
        after.values.settings.clone_from(&checked.settings);
        values::set_health(after, None);
        if !checked.missing.is_empty() {
            after.health = Health::missing();
        }
        return fields.into_iter().map(|field| (field, SecretChange::Unchanged)).collect();
    };
    let changes = draft.compare(&fields, before);
    values::set_values(after, draft, None);
    if draft.waits_for_consent() && after.history.version == 1 && after.definition.is_none() {
        after.health = Health::not_authorized();
    }
    changes
}

async fn change(
    app: &App,
    who: &Identity,
    (wanted, secrets): (Wanted, Option<Secrets>),
    ((before, entry), under): (Stored, Option<&Stored>),
) -> Result<Step, ApiError> {
    if !is_same(&before, &wanted) {
        let detail = "The connection with this stable key has another kind, provider, type, template or fields of customers, \
                      which never change.";
        return Ok(conflict(before, ValueError::new("/stable_key", "identity", detail)));
    }
    let opened = match &secrets {
        Some(_) => open(app, &before, entry).await?,
        None => None,
    };
    let given = wanted.given;
    let settings = given.settings.unwrap_or_else(|| before.values.settings.clone());
    let definition = under.map_or(before.definition.as_ref(), |(template, _)| template.definition.as_ref());
    let customer_fields = definition.map(|definition| &definition.customer_fields);
    let frame = Frame { of: wanted.settled.connection_type, customer_fields, under };
    let checked = check(app, frame, settings, (secrets, &before.values.secret_fields)).await?;
    let consequence = match consequence(frame.of, &before, &checked) {
        Ok(consequence) => consequence,
        Err(refused) => return Ok(conflict(before, refused)),
    };
    let mut after = before.clone();
    after.label.name = given.name;
    after.label.description = given.description.unwrap_or(after.label.description);
    after.label.tags = given.tags.unwrap_or(after.label.tags);
    let mut revalued = after.clone();
    let secret_changes = set_values(&mut revalued, &checked, opened.as_ref());
    let mut step = Step {
        action: Action::Change,
        before: Some(before),
        after: revalued,
        draft: checked.draft,
        secret_changes,
        needs_secrets: checked.missing,
        template: None,
        consequence,
        conflict: None,
    };
    if !step.is_revalued() {
        // What a test found of the values stays.
        (step.after, step.draft) = (after, None);
    }
    if step.changes().is_empty() {
        step.action = Action::Unchanged;
        return Ok(step);
    }
    let is_revalued = step.is_revalued();
    if values::is_any_changed(&step.secret_changes) {
        step.after.dates.expires_at = None;
    }
    let history = &mut step.after.history;
    history.version += 1;
    history.revision += u64::from(is_revalued);
    history.modified_at = app.now();
    history.modified_by = who.actor.clone();
    Ok(step)
}

/// Whether a connection is what a definition says as far as that never changes; what is left out is not said.
fn is_same(before: &Connection, wanted: &Wanted) -> bool {
    let Given { kind, provider, connection_type, supplied_by, customer_fields, .. } = &wanted.given;
    let fields = before.definition.as_ref().map(|definition| &definition.customer_fields);
    before.owner.kind == *kind
        && before.owner.template == wanted.settled.owner.template
        && before.provider == *provider
        && before.connection_type == *connection_type
        && (supplied_by.is_none() || *supplied_by == before.owner.supplied_by)
        && (customer_fields.is_none() || customer_fields.as_ref() == fields)
}

/// What follows from new values.
///
/// # Errors
/// Why they must not be: secrets that are kept, those of customers, or test credentials would go elsewhere.
fn consequence(of: &ConnectionType, before: &Connection, checked: &Checked) -> Result<Consequence, ValueError> {
    let keeps = checked.draft.is_none() && !before.values.secret_fields.is_empty();
    let found = Consequence::of(before, (of, &checked.settings), false).ok();
    let may_be = |found: &Consequence| !found.is_elsewhere() || (!keeps && before.test_credentials.is_none());
    let detail = "The address where secrets are sent is another: change it there, where they can be entered again.";
    found.filter(may_be).ok_or_else(|| ValueError::new("/settings", "reenter", detail))
}

fn conflict(before: Connection, conflict: ValueError) -> Step {
    Step {
        action: Action::Conflict,
        after: before.clone(),
        before: Some(before),
        draft: None,
        secret_changes: BTreeMap::new(),
        needs_secrets: BTreeSet::new(),
        template: None,
        consequence: Consequence::default(),
        conflict: Some(conflict),
    }
}

/// The secrets that are there, to be compared with those that come; none where they do not open: then they are replaced.
async fn open(app: &App, before: &Connection, entry: Option<Entry>) -> Result<Option<Secrets>, ApiError> {
    match values::open(app, app.ring()?, before.values.secrets_revision, entry.as_ref()).await {
        Ok(opened) => Ok(Some(opened.secrets)),
        Err(error @ (ApiError::StorageUnavailable(_) | ApiError::SecretPending)) => Err(error),
        Err(_) => Ok(None),
    }
}
