//! `POST /v1/connections/bulk`: what a filter finds, or what is named, is changed a page at a time, each page all or nothing,
//! after a plan.
//!
//! Every connection is changed as a change of it alone would do it, and leaves the same event and audit row. Those that may not
//! be changed are told with the reason that a change of them alone would get, and the others of the page go on.

mod chosen;

use std::collections::BTreeSet;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::claim::{Claim, Identity};
use crate::api::cursor;
use crate::api::error::{ApiError, Problem, ValueError};
use crate::api::extract::{Body, Parsed};
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::domain::connection::Connection;
use crate::domain::environment::Environment;
use crate::domain::event::EventType;
use crate::domain::id::ConnectionId;
use crate::domain::scope::Scope;
use crate::domain::text::{Name, Tag};
use crate::ports::Statement;
use crate::store::commit::{CommitError, Conflict};
use crate::store::connections::{self, DatesChanged};
use crate::store::many::many;
use crate::store::usages;

use self::chosen::{Chosen, Meant};
use super::delete::{deleted, gone_all};
use super::list::{BulkFilter, SortQuery};
use super::record;
use super::update::{UpdateConnection, advance, relabeled};

/// The most connections of a page.
const MAX_PAGE: usize = 100;
/// The order of the pages: what a change leaves alone, so that none is met twice and none is left out.
const ORDER: SortQuery = SortQuery::Created;

/// What to do to all that a filter finds, or to connections that are named.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// The environment.
    environment: Environment,
    /// Which connections. A search considers the 1,000 newest matches. Either this or `ids`.
    filter: Option<BulkFilter>,
    /// These connections. Those that the environment has not are told in `missing`.
    #[schema(max_items = 100, min_items = 1)]
    ids: Option<BTreeSet<ConnectionId>>,
    /// What to do to each.
    action: BulkAction,
    /// The tags to add or to remove.
    #[schema(max_items = 20, min_items = 1)]
    tags: Option<BTreeSet<Tag>>,
    /// `true`: delete those that steps use, too. The steps stay listed as `orphaned`.
    #[serde(default)]
    force: bool,
    /// `true`: only tell what would be done. `false`: do it.
    dry_run: bool,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What to do to each connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkAction {
    /// Enable it.
    Enable,
    /// Disable it.
    Disable,
    /// Use it for embedded workflows.
    Embed,
    /// Do not use it for embedded workflows.
    Unembed,
    /// Add the tags.
    AddTags,
    /// Remove the tags.
    RemoveTags,
    /// Delete it.
    Delete,
}

/// What was done to a page, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkChanged {
    /// Whether nothing was done.
    dry_run: bool,
    /// How many connections are meant; of a plan's first page.
    matching: Option<Matching>,
    /// How many of this page are changed.
    changed: usize,
    /// How many of this page are so already.
    unchanged: usize,
    /// Those of this page that are changed.
    connections: Vec<BulkConnection>,
    /// Those of this page that may not be changed, each with the reason; they stay as they are.
    refused: Vec<BulkRefused>,
    /// Those of `ids` that are not in the environment, or not any more.
    missing: Vec<ConnectionId>,
    /// Pass it as `cursor` for the next page; null where all is done.
    next_cursor: Option<String>,
}

/// How many connections a filter finds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Matching {
    /// The number.
    count: u64,
    /// Whether all were counted; else there are at least so many.
    exact: bool,
}

/// A connection that is changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkConnection {
    /// Its id.
    id: ConnectionId,
    /// Its name.
    name: Name,
}

/// A connection that may not be changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkRefused {
    /// Its id.
    id: ConnectionId,
    /// Its name.
    name: Name,
    /// Why: the code that a change of it alone would get.
    #[schema(example = "connection_in_use")]
    code: String,
    /// The same as a sentence.
    detail: String,
    /// How many steps use it, where that is why.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_count: Option<u64>,
}

/// POST /v1/connections/bulk
///
/// Enables, disables, exposes, tags or deletes all that a filter finds, or up to 100 by their ids: tells what would be done
/// (`dry_run: true`), or does it, at most 100 at once, all or nothing; `next_cursor` goes on. What may not be changed is told and left as it is. Needs
/// `connections:write`, to delete `connections:delete`. Repeating it changes nothing more.
#[utoipa::path(
    post, path = "/v1/connections/bulk", tag = "Connections", request_body = Bulk,
    responses((status = 200, description = "What is done to this page", body = BulkChanged), ChangeProblems)
)]
pub async fn change_connections(app: App, claim: Claim, body: Parsed<Body<Bulk>>) -> Result<Response, ApiError> {
    let Body { value: body, .. } = claim.accept(&app, body).await?;
    let Bulk { environment, filter, ids, action, tags, force, dry_run, cursor } = body;
    let chosen = claim.accept(&app, Chosen::parse(environment, filter, ids, cursor.as_deref(), app.now())).await?;
    let (who, found) = claim.load(&app, chosen.find(dry_run)).await?;
    let scope = if action == BulkAction::Delete { Scope::ConnectionsDelete } else { Scope::ConnectionsWrite };
    who.authorize_in(scope, environment)?;
    let act = Act::parse(action, tags, force)?;
    let Meant { connections, matching, next } = found.read()?;
    let missing = chosen.missing(&connections);
    let plan = Plan::of(&app, &who, &act, connections);
    if !dry_run {
        plan.commit(&app, &who, &act).await?;
    }
    let changed = BulkChanged {
        dry_run,
        matching,
        changed: plan.changes.len(),
        unchanged: plan.unchanged,
        connections: plan.changes.into_iter().map(|(before, _)| named(before)).collect(),
        refused: plan.refused,
        missing,
        next_cursor: next.map(|position| cursor::encode(&(ORDER, position))),
    };
    Ok(answer::json(StatusCode::OK, &changed))
}

fn named(connection: Connection) -> BulkConnection {
    BulkConnection { id: connection.id, name: connection.label.name }
}

/// An action with what it needs.
enum Act {
    Switch { enabled: Option<bool>, embedded: Option<bool> },
    Add(BTreeSet<Tag>),
    Remove(BTreeSet<Tag>),
    Delete { force: bool },
}

impl Act {
    /// Reads the action with its arguments; those of other actions are refused, so that none is meant and left out.
    fn parse(action: BulkAction, tags: Option<BTreeSet<Tag>>, force: bool) -> Result<Self, ApiError> {
        let switch = |enabled, embedded| Ok(Self::Switch { enabled, embedded });
        if force && action != BulkAction::Delete {
            return Err(ApiError::invalid("/force", "It belongs to `delete`: leave it out."));
        }
        match (action, tags) {
            (BulkAction::AddTags, Some(tags)) if !tags.is_empty() => {
                super::create::check_tags(&tags)?;
                Ok(Self::Add(tags))
            }
            (BulkAction::RemoveTags, Some(tags)) if !tags.is_empty() => Ok(Self::Remove(tags)),
            (BulkAction::AddTags | BulkAction::RemoveTags, _) => Err(ApiError::invalid("/tags", "Name some tags.")),
            (_, Some(_)) => {
                Err(ApiError::invalid("/tags", "It belongs to `add_tags` and `remove_tags`: leave it out."))
            }
            (BulkAction::Enable, None) => switch(Some(true), None),
            (BulkAction::Disable, None) => switch(Some(false), None),
            (BulkAction::Embed, None) => switch(None, Some(true)),
            (BulkAction::Unembed, None) => switch(None, Some(false)),
            (BulkAction::Delete, None) => Ok(Self::Delete { force }),
        }
    }

    /// The connection after it; the same, where there is nothing to do.
    ///
    /// # Errors
    /// What a change of it alone would be answered.
    fn on(&self, before: &Connection) -> Result<Connection, ApiError> {
        let tags = &before.label.tags;
        let change = match self {
            Self::Switch { enabled, embedded } => {
                UpdateConnection { enabled: *enabled, embedded: *embedded, ..UpdateConnection::default() }
            }
            Self::Add(added) => {
                UpdateConnection { tags: Some(tags.union(added).cloned().collect()), ..UpdateConnection::default() }
            }
            Self::Remove(removed) => UpdateConnection {
                tags: Some(tags.difference(removed).cloned().collect()),
                ..UpdateConnection::default()
            },
            Self::Delete { force } => {
                super::delete::check(before, *force)?;
                UpdateConnection::default()
            }
        };
        relabeled(before, change)
    }

    const fn is_delete(&self) -> bool {
        matches!(self, Self::Delete { .. })
    }
}

/// What becomes of a page.
struct Plan {
    changes: Vec<(Connection, Connection)>,
    unchanged: usize,
    refused: Vec<BulkRefused>,
}

impl Plan {
    fn of(app: &App, who: &Identity, act: &Act, found: Vec<Connection>) -> Self {
        let mut plan = Self { changes: Vec::new(), unchanged: 0, refused: Vec::new() };
        for before in found {
            match act.on(&before) {
                Err(error) => plan.refused.push(refused(before, error)),
                Ok(_) if act.is_delete() => {
                    let after = deleted(app, &before);
                    plan.changes.push((before, after));
                }
                Ok(after) if (&after.label, after.switches) == (&before.label, before.switches) => plan.unchanged += 1,
                Ok(mut after) => {
                    advance(app, who, &mut after);
                    plan.changes.push((before, after));
                }
            }
        }
        plan
    }

    /// Does it, all or nothing: the event of each connection, unique in its version, guards it.
    async fn commit(&self, app: &App, who: &Identity, act: &Act) -> Result<(), ApiError> {
        if self.changes.is_empty() {
            return Ok(());
        }
        let event_type = if act.is_delete() { EventType::Deleted } else { EventType::Updated };
        let changes = self.changes.iter().map(|(before, after)| (event_type, (Some(before), after), None));
        let mut commit = record::begin_all((app, who), None, changes)?;
        commit.extend(self.statements(app, act));
        match commit.run(&*app.database).await {
            Ok(()) => Ok(()),
            Err(CommitError::Conflict(Conflict::Version | Conflict::Usages | Conflict::Template)) => {
                Err(ApiError::ConnectionsChanged)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn statements(&self, app: &App, act: &Act) -> Vec<Statement> {
        let Act::Delete { force } = act else {
            let rows = self.changes.iter().map(|(_, after)| connections::update_label(after, DatesChanged::default()));
            return many(rows);
        };
        let gone: Vec<&Connection> = self.changes.iter().map(|(before, _)| before).collect();
        let unused = gone.iter().filter(|_| !force).map(|connection| usages::expect(&connection.id, 0));
        many(unused).into_iter().chain(gone_all(&gone, app.now())).collect()
    }
}

/// A refusal in the words that a change of the connection alone would get.
fn refused(connection: Connection, error: ApiError) -> BulkRefused {
    let usage_count = matches!(error, ApiError::InUse(..)).then_some(connection.usage.count);
    let problem = Problem::from(error);
    let (code, detail) = match problem.errors.into_iter().next() {
        Some(ValueError { code, detail, .. }) => (code, detail),
        None => (problem.code, problem.detail),
    };
    BulkRefused { id: connection.id, name: connection.label.name, code, detail, usage_count }
}
