//! What an embedded session sees: the organization's exposed connections, and the customer's own.
//!
//! The session is looked up inside the statements, so that proving it and reading its list is one round trip. Two walks by
//! name are merged; each looks at a bounded number of candidates, as every list does.

use crate::ports::Statement;

use super::filter::Sql;
use super::listing::{CONNECTION, Listed, Position, PositionKey, bounded, item};
use super::{Query, json, text};

/// The organization's connections and templates that are toggled; whether they are enabled is checked row by row. Nothing for a
/// builder session, which sees all of them as its own, nor for one that is limited to a connection of its customer.
const EXPOSED: &str = "connections c indexed by connections_embedded_name \
                       where c.customer = iif((select customer = '' or connection_id is not null from s), null, '') \
                       and c.embedded = 1";
/// The customer's own connections in any state; for a builder session the organization's.
const OWN: &str = "connections c indexed by connections_name where c.customer = (select customer from s)";

/// Lists what the session with this token hash sees, by name, after a position.
#[must_use]
pub fn list(token_hash: Option<&str>, providers: &[String], after: Option<&Position>, limit: usize) -> Query<Listed> {
    let hash = token_hash.unwrap_or_default();
    let exposed = select(hash, (EXPOSED, "c.enabled = 1"), providers, after, limit);
    let own = select(hash, (OWN, "true"), providers, after, limit);
    text(exposed).and(text(own)).map(move |(exposed, own)| Listed { walks: vec![exposed, own], limit })
}

fn select(
    hash: &str,
    (walk, condition): (&str, &str),
    providers: &[String],
    after: Option<&Position>,
    limit: usize,
) -> Statement {
    let mut sql = Sql::default();
    let hash = sql.bind(hash);
    let mut walk = format!("{walk} and c.environment = (select environment from s) and c.deleted_at is null");
    if let Some(Position(PositionKey::Name(name), row)) = after {
        let (name, row) = (sql.bind(name.as_str()), sql.bind(*row));
        walk = format!("{walk} and (c.name_key, c.rowid) > ({name}, {row})");
    }
    let asked = if providers.is_empty() {
        String::new()
    } else {
        format!(" and c.provider in (select value from json_each({}))", sql.bind(json(&providers)))
    };
    let limit = sql.bind(u64::try_from(limit).unwrap_or(0) + 1);
    let allowed = format!(
        "{condition}{asked} \
         and ((select providers from s) is null or c.provider in (select j.value from s, json_each(s.providers) j)) \
         and ((select connection_types from s) is null \
         or c.connection_type in (select j.value from s, json_each(s.connection_types) j)) \
         and ((select templates from s) is null or iif(c.kind = 'template', c.id, c.template_id) in \
         (select j.value from s, json_each(s.templates) j)) \
         and ((select connection_id from s) is null or c.id = (select connection_id from s))"
    );
    let text = format!(
        "with s as materialized (select environment, customer, providers, connection_types, templates, connection_id \
         from embedded_sessions \
         where token_hash = {hash}) {}",
        bounded(&walk, ("c.name_key", "c.rowid", "asc"), (CONNECTION, &item("w.k", "w.r")), &allowed, &limit)
    );
    Statement { sql: text.into(), params: sql.params }
}
