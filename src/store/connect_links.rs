//! Connect links, and which of them were redeemed. Tokens rest as hashes.

use std::time::Duration;

use serde::Deserialize;

use crate::domain::actor::Actor;
use crate::domain::environment::Environment;
use crate::domain::id::{ConnectLinkId, ConnectionId};
use crate::domain::text::Customer;
use crate::domain::time::Timestamp;
use crate::ports::Statement;

use super::access::Found;
use super::{Query, json, many, optional, statement};

const DAY: Duration = Duration::from_hours(24);

/// A link with which one customer connects one account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ConnectLink {
    /// Its id.
    pub id: ConnectLinkId,
    /// Its environment.
    pub environment: Environment,
    /// The customer that it is for.
    pub customer: Customer,
    /// The provider of what it connects.
    pub provider: String,
    /// The connection type of what it connects.
    pub connection_type: String,
    /// The template that it connects under.
    pub template: Option<ConnectionId>,
    /// The one connection of the customer that it is for.
    pub connection: Option<ConnectionId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who created it.
    pub created_by: Actor,
    /// Until when it can be redeemed.
    pub expires_at: Timestamp,
    /// When it was redeemed.
    pub used_at: Option<Timestamp>,
}

macro_rules! link_json {
    () => {
        "json_object('id', l.id, 'environment', l.environment, 'customer', l.customer, 'provider', l.provider, \
         'connection_type', l.connection_type, 'template', l.template_id, 'connection', l.connection_id, \
         'created_at', l.created_at, 'created_by', json(l.created_by), 'expires_at', l.expires_at, \
         'used_at', (select u.used_at from used_links u where u.link_id = l.id))"
    };
}

/// Lists the links of an environment, or of one of its customers, newest first, below an id.
#[must_use]
pub fn list(
    (environment, customer): (Environment, Option<&Customer>),
    below: Option<&ConnectLinkId>,
    limit: u64,
) -> Query<Vec<ConnectLink>> {
    const ALL: &str = concat!(
        "select ",
        link_json!(),
        " as row from connect_links l where l.environment = ?1 and l.id < ?2 order by l.id desc limit ?3"
    );
    const OF_CUSTOMER: &str = concat!(
        "select ",
        link_json!(),
        " as row from connect_links l where l.environment = ?1 and l.customer = ?4 and l.id < ?2 \
         order by l.id desc limit ?3"
    );
    let environment = environment.as_str().into();
    let below = below.map_or("~", ConnectLinkId::as_str).into();
    many(match customer {
        None => statement(ALL, [environment, below, limit.into()]),
        Some(customer) => statement(OF_CUSTOMER, [environment, below, limit.into(), customer.as_str().into()]),
    })
}

/// Finds a link.
#[must_use]
pub fn find(id: &ConnectLinkId) -> Query<Option<ConnectLink>> {
    const SQL: &str = concat!("select ", link_json!(), " as row from connect_links l where l.id = ?1");
    optional(statement(SQL, [id.as_str().into()]))
}

/// Finds the link behind a token, redeemed or not, while it lives.
#[must_use]
pub fn find_by_token(token_hash: &str, now: Timestamp) -> Query<Option<Found<ConnectLink>>> {
    const SQL: &str = concat!(
        "select json_object('token_hash', l.token_hash, 'caller', ",
        link_json!(),
        ") as row from connect_links l where l.token_hash = ?1 and l.expires_at > ?2"
    );
    optional(statement(SQL, [token_hash.into(), now.into()]))
}

/// Inserts a link.
#[must_use]
pub fn insert(link: &ConnectLink, token_hash: &str) -> Statement {
    const SQL: &str = "insert into connect_links (id, token_hash, environment, customer, provider, connection_type, \
        template_id, connection_id, created_at, created_by, expires_at) \
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    statement(
        SQL,
        [
            link.id.as_str().into(),
            token_hash.into(),
            link.environment.as_str().into(),
            link.customer.as_str().into(),
            link.provider.as_str().into(),
            link.connection_type.as_str().into(),
            link.template.as_ref().map(ConnectionId::as_str).into(),
            link.connection.as_ref().map(ConnectionId::as_str).into(),
            link.created_at.into(),
            json(&link.created_by),
            link.expires_at.into(),
        ],
    )
}

/// Notes that a link is redeemed. Aborts its batch where it was before, where it is gone, or where its time is over.
#[must_use]
pub fn insert_used(id: &ConnectLinkId, now: Timestamp) -> Statement {
    const SQL: &str = "insert into used_links (link_id, used_at) values \
                       ((select l.id from connect_links l where l.id = ?1 and l.expires_at > ?2), ?2)";
    statement(SQL, [id.as_str().into(), now.into()])
}

/// Deletes a link: it is not redeemed any more, and the session that came from it ends at the next request.
#[must_use]
pub fn delete(id: &ConnectLinkId) -> Statement {
    statement("delete from connect_links where id = ?1", [id.as_str().into()])
}

/// Deletes every link of a customer.
#[must_use]
pub fn delete_of(environment: Environment, customer: &Customer) -> Statement {
    const SQL: &str = "delete from connect_links where environment = ?1 and customer = ?2";
    statement(SQL, [environment.as_str().into(), customer.as_str().into()])
}

/// How long a link stays listed behind its end.
const LISTED: Duration = Duration::from_hours(30 * 24);
/// The longest that a link lives.
pub const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Forgets links that ended long ago, and that they were redeemed, some at a time.
#[must_use]
pub fn forget(now: Timestamp) -> [Statement; 2] {
    const LINKS: &str = "delete from connect_links where id in \
                         (select id from connect_links where expires_at < ?1 order by expires_at limit 1000)";
    const USED: &str = "delete from used_links where link_id in \
                        (select link_id from used_links where used_at < ?1 order by used_at limit 1000)";
    // A link is redeemed before its end: while the link is there, so is this.
    let used = now - (LISTED + LONGEST + DAY);
    [statement(LINKS, [(now - LISTED).into()]), statement(USED, [used.into()])]
}
