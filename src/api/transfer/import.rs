//! `POST /v1/import`: definitions become connections, after a plan, all or nothing.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::answer;
use crate::api::claim::{Claim, Identity};
use crate::api::connections::values::find_key_check;
use crate::api::error::{ApiError, ValueError};
use crate::api::extract::{Body, InQuery, Parsed};
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::domain::connection::Connection;
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::scope::Scope;
use crate::domain::text::{Customer, StableKey};
use crate::store::transfer::{self, Key, Pair};
use crate::vault::Entry;

use super::apply::apply;
use super::document::{Given, ImportDocument};
use super::plan::{Action, Step, Stored, step};

/// The most definitions that are imported at once, all or nothing.
pub const MAX_PART: usize = 500;
/// The most definitions of a document.
const MAX_DEFINITIONS: usize = 10_000;
/// The most problems that one answer tells.
const MAX_ERRORS: usize = 100;
/// So many stored secrets at once: the platform waits for six answers.
const AT_ONCE: usize = 6;

/// Where to import, and what of it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// The environment that the definitions become connections of. Required.
    environment: Environment,
    /// `true`: only tell what would be done. `false`: do it. Required.
    dry_run: bool,
    /// Which 500 of the definitions: the first, the second …
    #[serde(default = "first")]
    #[param(minimum = 1, default = 1)]
    part: usize,
}

const fn first() -> usize {
    1
}

/// What an import does, or did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// Where.
    environment: Environment,
    /// Whether nothing was done.
    dry_run: bool,
    /// Which part of the document.
    part: usize,
    /// How many parts it has.
    parts: usize,
    /// How many connections become what.
    counts: Counts,
    /// What becomes of each connection, in the order of the document.
    connections: Vec<ImportedConnection>,
}

/// How many connections become what.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Counts {
    /// Those that are created.
    create: usize,
    /// Those that are changed.
    change: usize,
    /// Those that are as the definition says.
    unchanged: usize,
    /// Those that cannot be what the definition says.
    conflict: usize,
    /// Of all of these, those of which secrets are still to be entered.
    needs_secrets: usize,
}

/// What becomes of one connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedConnection {
    /// What it is matched by.
    stable_key: StableKey,
    /// Whose it is, of a customer's connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    customer: Option<Customer>,
    /// What becomes of it.
    action: Action,
    /// Its id; null while it is not created.
    connection_id: Option<ConnectionId>,
    /// What differs: `name`, `description`, `tags`, `settings`, `secrets`.
    changes: Vec<&'static str>,
    /// The fields of secrets that are still to be entered: until then it is not active, `missing`.
    needs_secrets: BTreeSet<String>,
    /// Why it cannot be done.
    conflict: Option<ValueError>,
}

/// POST /v1/import
///
/// Imports definitions, and for moving in customers' connections, matched by stable key: tells what would be done (`dry_run=true`), or does it, at most 500 at once, all
/// or nothing. Importing twice changes nothing. A definition may bring secrets; without them, a connection that needs some is
/// not active until they are entered. Nothing is tested, and nothing is deleted.
#[utoipa::path(
    post, path = "/v1/import", tag = "Transfer", request_body = ImportDocument, params(ImportQuery),
    responses((status = 200, description = "What is done to each connection", body = Imported), ChangeProblems)
)]
pub async fn import_definitions(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<ImportQuery>>,
    body: Parsed<Body<ImportDocument>>,
) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let Body { value: document, .. } = claim.accept(&app, body).await?;
    let parts = document.connections.len().div_ceil(MAX_PART).max(1);
    let keys: Vec<Key> = document.connections.iter().map(key).collect();
    let all_pairs: Vec<Option<Pair>> = document.connections.iter().map(pair).collect();
    let first = query.part.saturating_sub(1).saturating_mul(MAX_PART);
    let part: Vec<Given> = document.connections.into_iter().skip(first).take(MAX_PART).collect();
    let of_part: Vec<Key> = part.iter().map(key).collect();
    let with_secrets: Vec<Key> = part.iter().filter(|given| given.secrets.is_some()).map(key).collect();
    let pairs: Vec<Pair> = part.iter().filter_map(pair).collect();
    let templates: BTreeSet<Key> =
        part.iter().filter_map(|given| given.template.as_ref()).map(of_organization).collect();
    let templates: Vec<Key> = templates.into_iter().collect();
    let environment = query.environment;
    let stored = |keys: &[Key], with_secrets: &[Key]| {
        transfer::find_by_keys(environment, keys).and(transfer::find_entries_by_keys(environment, with_secrets))
    };
    let wanted = stored(&of_part, &with_secrets)
        .and(stored(&templates, &templates))
        .and(transfer::find_keys_under(environment, &pairs))
        .and(find_key_check(&app));
    let (who, (((found, templates), under), key_check)) = claim.load(&app, wanted).await?;
    who.authorize_in(Scope::Transfer, environment)?;
    check((&keys, &all_pairs), query.part, parts)?;
    let found = Found { connections: by_key(found), templates: by_key(templates), under };
    let steps = plan(&app, (&who, environment), (first, part), found).await?;
    if !query.dry_run {
        refuse_conflicts(first, &steps)?;
        apply(&app, &who, (query.environment, query.part), key_check.as_deref(), &steps).await?;
    }
    Ok(answer::json(StatusCode::OK, &view(&query, parts, steps)))
}

fn key(given: &Given) -> Key {
    let customer = given.customer.as_ref().map_or("", Customer::as_str).to_owned();
    Key { customer, stable_key: given.stable_key.clone() }
}

fn of_organization(stable_key: &StableKey) -> Key {
    Key { customer: String::new(), stable_key: stable_key.clone() }
}

fn pair(given: &Given) -> Option<Pair> {
    let (template, customer) = given.template.clone().zip(given.customer.clone())?;
    Some(Pair { template, customer })
}

/// What is stored of what a part names.
struct Found {
    /// The connections with the keys of the part.
    connections: BTreeMap<Key, Stored>,
    /// The templates that it names.
    templates: BTreeMap<Key, Stored>,
    /// What its customers have under these templates: template, customer, stable key.
    under: Vec<(StableKey, Customer, StableKey)>,
}

fn by_key((found, entries): (Vec<Connection>, Vec<Entry>)) -> BTreeMap<Key, Stored> {
    let mut entries: BTreeMap<String, Entry> =
        entries.into_iter().map(|entry| (entry.context.owner_id.clone(), entry)).collect();
    let stored = |found: Connection| {
        let entry = entries.remove(found.id.as_str());
        (Key::of(&found), (found, entry))
    };
    found.into_iter().map(stored).collect()
}

/// Refuses a document in which a key stands twice, or a customer under a template, and a part that it has not.
fn check((keys, pairs): (&[Key], &[Option<Pair>]), part: usize, parts: usize) -> Result<(), ApiError> {
    if !(1..=parts).contains(&part) {
        let detail = format!("Expected 1 to {parts}: the document has so many parts of 500 definitions.");
        return Err(ApiError::invalid_query("/part", &detail));
    }
    if keys.len() > MAX_DEFINITIONS {
        return Err(ApiError::invalid("/connections", "Expected at most 10,000 definitions."));
    }
    let mut seen = BTreeSet::new();
    let twice = keys.iter().enumerate().filter(|(_, key)| !seen.insert(*key));
    let error = |index: usize, field: &str, detail: &str| {
        ValueError::new(format!("/connections/{index}/{field}"), "duplicate", detail)
    };
    let keys = twice.map(|(index, _)| error(index, "stable_key", "This stable key stands twice."));
    let mut seen = BTreeSet::new();
    let pairs = pairs.iter().enumerate().filter_map(|(index, pair)| Some((index, pair.as_ref()?)));
    let twice = pairs.filter(|(_, pair)| !seen.insert(*pair));
    let pairs = twice.map(|(index, _)| error(index, "customer", "This customer stands under this template twice."));
    ApiError::refuse(keys.chain(pairs).take(MAX_ERRORS).collect())
}

/// Plans every definition of a part; what is wrong with them is told at once.
async fn plan(
    app: &App,
    (who, environment): (&Identity, Environment),
    (first, part): (usize, Vec<Given>),
    found: Found,
) -> Result<Vec<Step>, ApiError> {
    let Found { mut connections, templates, under } = found;
    let pairs: Vec<Option<(Pair, StableKey)>> =
        part.iter().map(|given| Some((pair(given)?, given.stable_key.clone()))).collect();
    let work = part.into_iter().map(|given| {
        let before = connections.remove(&key(&given));
        let template = given.template.as_ref().and_then(|template| templates.get(&of_organization(template)));
        step(app, (who, environment), (given, before), template)
    });
    // In their order, and some at a time: each may read a stored secret.
    let steps: Vec<Result<Step, ApiError>> = stream::iter(work.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
    let (mut planned, mut errors) = (Vec::new(), Vec::new());
    for (index, step) in (first..).zip(steps) {
        match step {
            Ok(step) => planned.push(step),
            Err(ApiError::InvalidBody(wrong)) => errors.extend(wrong.into_iter().map(|error| at(index, error))),
            Err(error) => return Err(error),
        }
    }
    errors.truncate(MAX_ERRORS);
    ApiError::refuse(errors)?;
    refuse_under(&mut planned, &pairs, &under);
    Ok(planned)
}

/// Makes conflicts of what cannot stand under its template: beside another connection of the customer, and while the part changes
/// the values of the template that the customer's were checked with.
fn refuse_under(steps: &mut [Step], pairs: &[Option<(Pair, StableKey)>], under: &[(StableKey, Customer, StableKey)]) {
    let changed: BTreeSet<ConnectionId> = steps
        .iter()
        .filter(|step| step.before.is_some() && step.is_revalued())
        .map(|step| step.after.id.clone())
        .collect();
    let keys: BTreeMap<(&StableKey, &Customer), &StableKey> =
        under.iter().map(|(template, customer, key)| ((template, customer), key)).collect();
    for (step, named) in steps.iter_mut().zip(pairs) {
        let Some((Pair { template, customer }, key)) = named else { continue };
        let is_other = keys.get(&(template, customer)).is_some_and(|other| *other != key);
        let is_moving = step.template.as_ref().is_some_and(|(id, _)| changed.contains(id));
        let refused = match (is_other, is_moving) {
            (true, _) => ValueError::new(
                "/template",
                "customer_connected",
                "The customer has a connection under this template, with another stable key.",
            ),
            (_, true) => ValueError::new(
                "/template",
                "template_changed",
                "The same part changes the values of this template: import the template first.",
            ),
            _ => continue,
        };
        step.action = Action::Conflict;
        step.conflict = Some(refused);
    }
}

/// What is wrong with a definition, as a place of the document.
fn at(index: usize, error: ValueError) -> ValueError {
    ValueError { pointer: format!("/connections/{index}{}", error.pointer), ..error }
}

fn refuse_conflicts(first: usize, steps: &[Step]) -> Result<(), ApiError> {
    let conflicts = (first..).zip(steps).filter_map(|(index, step)| Some(at(index, step.conflict.clone()?)));
    let conflicts: Vec<ValueError> = conflicts.take(MAX_ERRORS).collect();
    if conflicts.is_empty() { Ok(()) } else { Err(ApiError::ImportConflicts(conflicts)) }
}

fn view(query: &ImportQuery, parts: usize, steps: Vec<Step>) -> Imported {
    let mut counts = Counts::default();
    for step in &steps {
        match step.action {
            Action::Create => counts.create += 1,
            Action::Change => counts.change += 1,
            Action::Unchanged => counts.unchanged += 1,
            Action::Conflict => counts.conflict += 1,
        }
        counts.needs_secrets += usize::from(!step.needs_secrets.is_empty());
    }
    let connections = steps.into_iter().map(|step| {
        let is_there = step.before.is_some() || !query.dry_run;
        ImportedConnection {
            action: step.action,
            changes: step.changes(),
            connection_id: is_there.then(|| step.after.id.clone()),
            stable_key: step.after.label.stable_key,
            customer: step.after.owner.customer,
            needs_secrets: step.needs_secrets,
            conflict: step.conflict,
        }
    });
    let connections = connections.collect();
    let ImportQuery { environment, dry_run, part } = *query;
    Imported { environment, dry_run, part, parts, counts, connections }
}
