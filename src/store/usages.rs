//! The rows of usages: which step uses which connection.

use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::text::Workflow;
use crate::domain::usage::{Place, Usage, UsageState, Used};
use crate::ports::{Param, Statement};

use super::{Query, json, many, optional, statement};

macro_rules! usage_json {
    () => {
        "json_object('environment', u.environment, 'workflow', u.workflow, 'step', u.step, 'connection_id', u.connection_id, \
         'state', iif(u.orphaned, 'orphaned', 'registered'), 'registered_at', u.registered_at, \
         'registered_by', json(u.registered_by))"
    };
}

/// Finds a connection as far as its usages are concerned: one that is there, or that steps still name.
#[must_use]
pub fn find_used(id: &ConnectionId) -> Query<Option<Used>> {
    const SQL: &str = "select json_object('id', id, 'environment', environment, 'provider', provider, 'count', usage_count, \
        'state', iif(deleted_at is null, 'registered', 'orphaned')) as row from connections \
        where id = ?1 and (deleted_at is null or usage_count > 0)";
    optional(statement(SQL, [id.as_str().into()]))
}

/// Finds what a step uses in the environment of a connection.
#[must_use]
pub fn find_beside(id: &ConnectionId, place: &Place) -> Query<Option<Usage>> {
    const SQL: &str = concat!(
        "select ",
        usage_json!(),
        " as row from connections c cross join usages u on u.environment = c.environment and u.workflow = ?2 and u.step = ?3 \
         where c.id = ?1"
    );
    optional(statement(SQL, [id.as_str().into(), place.workflow.as_str().into(), place.step.as_str().into()]))
}

/// Lists the usages of a connection by workflow and step, behind a place.
#[must_use]
pub fn list_of(id: &ConnectionId, after: Option<&Place>, limit: u64) -> Query<Vec<Usage>> {
    const SQL: &str = concat!(
        "select ",
        usage_json!(),
        " as row from usages u where u.connection_id = ?1 and (u.workflow, u.step) > (?2, ?3) \
         order by u.workflow, u.step limit ?4"
    );
    let (workflow, step) = position(after);
    many(statement(SQL, [id.as_str().into(), workflow.into(), step.into(), limit.into()]))
}

/// Lists the usages of an environment by workflow and step, behind a place; of one workflow or state, where asked for.
#[must_use]
pub fn list(
    environment: Environment,
    workflow: Option<&Workflow>,
    state: Option<UsageState>,
    after: Option<&Place>,
    limit: u64,
) -> Query<Vec<Usage>> {
    macro_rules! sql {
        ($narrowed:literal) => {
            concat!(
                "select ",
                usage_json!(),
                " as row from usages u where u.environment = ?1 and (u.workflow, u.step) > (?2, ?3)",
                $narrowed,
                " order by u.workflow, u.step limit ?4"
            )
        };
    }
    let (from, step) = position(after);
    let mut params = vec![environment.as_str().into(), from.into(), step.into(), limit.into()];
    params.extend(state.map(|state| (state == UsageState::Orphaned).into()));
    params.extend(workflow.map(|workflow| workflow.as_str().into()));
    let sql = match (state, workflow) {
        (None, None) => sql!(""),
        (None, Some(_)) => sql!(" and u.workflow = ?5"),
        (Some(_), None) => sql!(" and u.orphaned = ?5"),
        (Some(_), Some(_)) => sql!(" and u.orphaned = ?5 and u.workflow = ?6"),
    };
    many(Statement { sql: sql.into(), params })
}

/// Lets a step use a connection, whatever it used before.
#[must_use]
pub fn put(usage: &Usage) -> Statement {
    const SQL: &str = "insert into usages (environment, workflow, step, connection_id, registered_at, registered_by) \
        values (?1, ?2, ?3, ?4, ?5, ?6) on conflict (environment, workflow, step) do update set \
        connection_id = excluded.connection_id, registered_at = excluded.registered_at, \
        registered_by = excluded.registered_by, orphaned_at = null";
    let [environment, workflow, step] = key(usage.environment, &usage.place());
    let connection = usage.connection_id.as_str().into();
    let (at, by) = (usage.registered_at.into(), json(&usage.registered_by));
    statement(SQL, [environment, workflow, step, connection, at, by])
}

/// Lets a step use a connection no more; another one, that it came to use meanwhile, it keeps.
#[must_use]
pub fn delete(environment: Environment, place: &Place, id: &ConnectionId) -> Statement {
    const SQL: &str =
        "delete from usages where environment = ?1 and workflow = ?2 and step = ?3 and connection_id = ?4";
    let [environment, workflow, step] = key(environment, place);
    statement(SQL, [environment, workflow, step, id.as_str().into()])
}

/// Gives every step of a connection another one. Aborts its batch unless there are so many of them.
#[must_use]
pub fn replace_all(from: &ConnectionId, to: &ConnectionId, count: u64) -> [Statement; 2] {
    const SQL: &str = "update usages set connection_id = ?2, orphaned_at = null where connection_id = ?1";
    [expect(from, count), statement(SQL, [from.as_str().into(), to.as_str().into()])]
}

/// Gives some steps of a connection another one. Aborts its batch unless all of them use the first one.
#[must_use]
pub fn replace_some(used: &Used, to: &ConnectionId, places: &[Place]) -> [Statement; 2] {
    // The order of the tables is fixed: each step is looked up, whatever else the connection is used for.
    const EXPECT: &str = "update connections set usage_count = null where id = ?1 and json_array_length(?3) <> \
        (select count(*) from json_each(?3) n cross join usages u on u.environment = ?2 \
        and u.workflow = n.value ->> 'workflow' and u.step = n.value ->> 'step' and u.connection_id = ?1)";
    const SQL: &str = "update usages set connection_id = ?4, orphaned_at = null from json_each(?3) n \
        where usages.environment = ?2 and usages.workflow = n.value ->> 'workflow' \
        and usages.step = n.value ->> 'step' and usages.connection_id = ?1";
    let [id, environment, places] = [used.id.as_str().into(), used.environment.as_str().into(), json(&places)];
    let expect = statement(EXPECT, [id.clone(), environment.clone(), places.clone()]);
    [expect, statement(SQL, [id, environment, places, to.as_str().into()])]
}

/// Aborts its batch unless so many steps use a connection.
#[must_use]
pub fn expect(id: &ConnectionId, count: u64) -> Statement {
    const SQL: &str = "update connections set usage_count = null where id = ?1 and usage_count <> ?2";
    statement(SQL, [id.as_str().into(), count.into()])
}

fn key(environment: Environment, place: &Place) -> [Param; 3] {
    [environment.as_str().into(), place.workflow.as_str().into(), place.step.as_str().into()]
}

fn position(after: Option<&Place>) -> (&str, &str) {
    after.map_or(("", ""), |place| (place.workflow.as_str(), place.step.as_str()))
}
