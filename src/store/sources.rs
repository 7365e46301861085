//! What the values of a connection are made of, read at once: the connection, the template that it stands under, and the
//! entries that hold their secrets. And which connection is meant by a stable key, a customer or a step.

use serde::Deserialize;

use crate::domain::connection::{Basis, Connection, Kind};
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::text::{Customer, StableKey};
use crate::domain::usage::Place;
use crate::ports::Statement;
use crate::vault::Entry;

use super::row::connection_json;
use super::tokens::{TokensRow, tokens_json};
use super::vault_entries::entry_json;
use super::{Query, optional, statement};

/// A connection with everything that its values are made of.
#[derive(Deserialize)]
pub struct Sources {
    /// The connection.
    pub connection: Connection,
    /// The entry of its own secrets; none where it has none.
    pub entry: Option<Entry>,
    /// The entry of the secrets among its test credentials.
    pub test_entry: Option<Entry>,
    /// The template that it stands under.
    pub template: Option<Connection>,
    /// The entry of the template's secrets.
    pub template_entry: Option<Entry>,
    /// Its OAuth tokens: of a template, those of its test credentials.
    pub tokens: Option<TokensRow>,
}

impl Sources {
    /// The template that it stands under, and the revision of it that its values go with.
    #[must_use]
    pub fn template_basis(&self) -> Option<(&ConnectionId, u64)> {
        self.template.as_ref().map(|template| (&template.id, template.history.revision))
    }

    /// Whose tokens are used: the connection's; of a template, those of its test credentials.
    #[must_use]
    pub fn tokens_owner(&self) -> String {
        let connection = &self.connection;
        if connection.definition.is_some() { test_owner(&connection.id) } else { connection.id.to_string() }
    }

    /// What a verdict about these values rests on.
    #[must_use]
    pub fn basis(&self) -> Basis {
        let test = self.connection.test_credentials.as_ref().filter(|_| self.connection.owner.kind == Kind::Template);
        Basis {
            revision: self.connection.history.revision,
            template_revision: self.template.as_ref().map(|template| template.history.revision),
            test_version: test.map(|test| test.version),
        }
    }
}

/// The sources of a connection `o`: an array in the order of [`Sources`], for serde reads a struct from one, too.
macro_rules! sources_json {
    () => {
        concat!(
            "format('[%s,%s,%s,%s,%s,%s]', (select ",
            connection_json!(),
            " from connections c where c.rowid = o.rowid), coalesce((select ",
            entry_json!(),
            " from vault_entries v where v.owner_id = o.id and v.purpose = 'values' and v.number = o.secrets_revision), \
             'null'), coalesce((select ",
            entry_json!(),
            " from vault_entries v where v.owner_id = o.id || '/test' and v.purpose = 'values' \
             and v.number = o.test_version), 'null'), coalesce((select ",
            connection_json!(),
            " from connections c where c.id = o.template_id), 'null'), coalesce((select ",
            entry_json!(),
            " from connections t cross join vault_entries v on v.owner_id = t.id and v.purpose = 'values' \
             and v.number = t.secrets_revision where t.id = o.template_id), 'null'), coalesce((select ",
            tokens_json!(),
            " from oauth_tokens g where g.owner_id = o.id || iif(o.kind = 'template', '/test', '')), 'null'))"
        )
    };
}

/// Finds the sources of a connection.
#[must_use]
pub fn find(id: &ConnectionId) -> Query<Option<Sources>> {
    const SQL: &str =
        concat!("select ", sources_json!(), " as row from connections o where o.id = ?1 and o.deleted_at is null");
    optional(statement(SQL, [id.as_str().into()]))
}

/// Finds the sources of a customer's connection under a template; of the connection itself where it is no template.
#[must_use]
pub fn find_for(id: &ConnectionId, customer: &Customer) -> Query<Option<Sources>> {
    const SQL: &str = concat!(
        "select ",
        sources_json!(),
        " as row from (select n.rowid as r, 1 as place from connections n where n.template_id = ?1 and n.customer = ?2 \
         and n.deleted_at is null union all \
         select n.rowid, 2 from connections n where n.id = ?1 and n.deleted_at is null order by 2 limit 1) m \
         cross join connections o on o.rowid = m.r"
    );
    optional(statement(SQL, [id.as_str().into(), customer.as_str().into()]))
}

/// Finds the sources of the organization's connection or template with a stable key.
#[must_use]
pub fn find_by_stable_key(environment: Environment, key: &StableKey) -> Query<Option<Sources>> {
    const SQL: &str = concat!(
        "select ",
        sources_json!(),
        " as row from connections o where o.environment = ?1 and o.customer = '' and o.stable_key = ?2 \
         and o.deleted_at is null"
    );
    optional(statement(SQL, [environment.as_str().into(), key.as_str().into()]))
}

/// Finds the sources of what a stable key means for a customer: their own connection with that key, else theirs under the
/// template with that key, else the organization's connection or template.
#[must_use]
pub fn find_by_stable_key_for(
    environment: Environment,
    key: &StableKey,
    customer: &Customer,
) -> Query<Option<Sources>> {
    const SQL: &str = concat!(
        "select ",
        sources_json!(),
        " as row from (select n.rowid as r, 1 as place from connections n where n.environment = ?1 and n.customer = ?3 \
         and n.stable_key = ?2 and n.deleted_at is null union all \
         select n.rowid, 2 from connections t cross join connections n on n.template_id = t.id and n.customer = ?3 \
         and n.deleted_at is null where t.environment = ?1 and t.customer = '' and t.stable_key = ?2 \
         and t.deleted_at is null union all \
         select n.rowid, 3 from connections n where n.environment = ?1 and n.customer = '' and n.stable_key = ?2 \
         and n.deleted_at is null order by 2 limit 1) m cross join connections o on o.rowid = m.r"
    );
    optional(statement(SQL, [environment.as_str().into(), key.as_str().into(), customer.as_str().into()]))
}

/// Finds the sources of the connection or template that a step uses.
#[must_use]
pub fn find_by_step(environment: Environment, place: &Place) -> Query<Option<Sources>> {
    const SQL: &str = concat!(
        "select ",
        sources_json!(),
        " as row from usages u cross join connections o on o.id = u.connection_id \
         where u.environment = ?1 and u.workflow = ?2 and u.step = ?3 and o.deleted_at is null"
    );
    optional(by_step(SQL, environment, place))
}

/// Finds the sources of what a step uses for a customer: theirs under the template that it names, else what it names.
#[must_use]
pub fn find_by_step_for(environment: Environment, place: &Place, customer: &Customer) -> Query<Option<Sources>> {
    const SQL: &str = concat!(
        "select ",
        sources_json!(),
        " as row from (select n.rowid as r, 1 as place from usages u cross join connections n \
         on n.template_id = u.connection_id and n.customer = ?4 and n.deleted_at is null \
         where u.environment = ?1 and u.workflow = ?2 and u.step = ?3 union all \
         select n.rowid, 2 from usages u cross join connections n on n.id = u.connection_id and n.deleted_at is null \
         where u.environment = ?1 and u.workflow = ?2 and u.step = ?3 order by 2 limit 1) m \
         cross join connections o on o.rowid = m.r"
    );
    let Statement { sql, mut params } = by_step(SQL, environment, place);
    params.push(customer.as_str().into());
    optional(Statement { sql, params })
}

fn by_step(sql: &'static str, environment: Environment, place: &Place) -> Statement {
    statement(sql, [environment.as_str().into(), place.workflow.as_str().into(), place.step.as_str().into()])
}

/// The owner of what is sealed of the test credentials of a connection.
#[must_use]
pub fn test_owner(id: &ConnectionId) -> String {
    format!("{id}/test")
}
