//! Who asks: an API key of the organization, a person, or a session of an embedded builder.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::connection::Connection;
use super::email::Email;
use super::environment::Environment;
use super::grants::Grants;
use super::id::{ConnectionId, SessionId};
use super::text::Customer;
use super::time::Timestamp;

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A server of the organization, or whoever signed in to the dashboard with its key.
    Key(KeyCaller),
    /// A person of the organization, signed in to the dashboard.
    Person(PersonCaller),
    /// A page of the organization's product, for one customer or for its own designer.
    Session(SessionCaller),
}

/// An API key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KeyCaller {
    /// `key_…`, or `key_root` for the key in the Workers secret.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub grants: Grants,
}

impl KeyCaller {
    /// The id of the key in the Workers secret `ROOT_API_KEY`.
    pub const ROOT_ID: &'static str = "key_root";

    /// The caller behind `ROOT_API_KEY`: everything, everywhere.
    #[must_use]
    pub fn root() -> Self {
        Self { id: Self::ROOT_ID.to_owned(), name: "Root key".to_owned(), grants: Grants::everything() }
    }
}

/// A person, named by the e-mail address that the organization's identity provider verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonCaller {
    /// `person:` and the address.
    pub id: String,
    /// The address.
    pub email: Email,
    /// What they may do.
    pub grants: Grants,
}

impl PersonCaller {
    /// The caller behind an address.
    #[must_use]
    pub fn new(email: Email, grants: Grants) -> Self {
        Self { id: format!("person:{email}"), email, grants }
    }
}

/// What an embedded session may see.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SessionCaller {
    /// Its id.
    pub id: SessionId,
    /// Its environment.
    pub environment: Environment,
    /// Its customer; none for a builder session.
    pub customer: Option<Customer>,
    /// The providers that it is limited to; none for all.
    pub providers: Option<BTreeSet<String>>,
    /// The connection types that it is limited to; none for all.
    pub connection_types: Option<BTreeSet<String>>,
    /// The templates that it is limited to, and what stands under them; none for all.
    pub templates: Option<BTreeSet<ConnectionId>>,
    /// The one connection that it is limited to; none for all that the other limits allow.
    pub connection: Option<ConnectionId>,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl SessionCaller {
    /// Whether it may use this provider.
    #[must_use]
    pub fn allows_provider(&self, key: &str) -> bool {
        self.providers.as_ref().is_none_or(|providers| providers.contains(key))
    }

    /// Whether it may use this connection type.
    #[must_use]
    pub fn allows_type(&self, key: &str) -> bool {
        self.connection_types.as_ref().is_none_or(|types| types.contains(key))
    }

    /// Whether it may use a template, or what stands under it; none for what has nothing to do with one.
    #[must_use]
    pub fn allows_template(&self, template: Option<&ConnectionId>) -> bool {
        self.templates.as_ref().is_none_or(|templates| template.is_some_and(|id| templates.contains(id)))
    }

    /// Whether it may use a connection of this provider, type and template, wherever that is.
    #[must_use]
    pub fn allows(&self, connection: &Connection) -> bool {
        let template =
            if connection.definition.is_some() { Some(&connection.id) } else { connection.owner.template.as_ref() };
        connection.environment == self.environment
            && self.allows_provider(&connection.provider)
            && self.allows_type(&connection.connection_type)
            && self.allows_template(template)
            && self.connection.as_ref().is_none_or(|id| *id == connection.id)
    }

    /// Whether it is of the organization's own designer.
    #[must_use]
    pub const fn is_builder(&self) -> bool {
        self.customer.is_none()
    }

    /// Whether a connection is the customer's own.
    #[must_use]
    pub fn owns(&self, connection: &Connection) -> bool {
        self.customer.is_some() && self.customer == connection.owner.customer
    }
}

impl Caller {
    /// The id that logs, history and audit name.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Key(key) => &key.id,
            Self::Person(person) => &person.id,
            Self::Session(session) => session.id.as_str(),
        }
    }

    /// The name that history and audit show.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Key(key) => &key.name,
            Self::Person(person) => person.email.as_str(),
            Self::Session(session) => session.customer.as_ref().map_or("Builder", Customer::as_str),
        }
    }

    /// What it may do through the API of the organization; an embedded session nothing.
    #[must_use]
    pub const fn grants(&self) -> Option<&Grants> {
        match self {
            Self::Key(key) => Some(&key.grants),
            Self::Person(person) => Some(&person.grants),
            Self::Session(_) => None,
        }
    }
}
