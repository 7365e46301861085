//! Whose credentials a new connection holds, and what therefore is asked of whom: what creating and planning have in common.

use std::collections::BTreeSet;

use crate::api::error::{ApiError, ValueError};
use crate::catalog::destinations::unsafe_split;
use crate::catalog::provider::ConnectionType;
use crate::domain::connection::{Connection, Definition, Kind, Owner, SuppliedBy};
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::text::Customer;

use super::values::{find_type, type_of};

/// Whose credentials a new connection is to hold, as the caller says.
#[derive(Debug, Clone)]
pub struct Whose {
    /// Where.
    pub environment: Environment,
    /// Whose.
    pub kind: Kind,
    /// The key of the provider; may be left out under a template.
    pub provider: Option<String>,
    /// The key of the connection type; may be left out under a template.
    pub connection_type: Option<String>,
    /// The template that a customer's connection stands under.
    pub template: Option<ConnectionId>,
    /// The customer.
    pub customer: Option<Customer>,
    /// Who enters what customers have of their own, of a template.
    pub supplied_by: Option<SuppliedBy>,
    /// The fields of which each customer has values of its own, of a template.
    pub customer_fields: Option<BTreeSet<String>>,
}

/// Whose credentials it holds.
pub struct Settled {
    /// The connection type.
    pub connection_type: &'static ConnectionType,
    /// The key of the provider.
    pub provider: String,
    /// Whose.
    pub owner: Owner,
    /// What makes it a template, where it is one.
    pub definition: Option<Definition>,
}

impl Whose {
    /// Decides it, given the template that was found.
    ///
    /// # Errors
    /// 422 with pointers where the parts do not go together.
    pub fn settle(self, template: Option<&Connection>) -> Result<Settled, ApiError> {
        self.check_parts()?;
        match (self.kind, &self.template) {
            (Kind::Template, _) => self.template(),
            (Kind::Customer, Some(_)) => self.under(template),
            (kind, _) => {
                let owner = Owner { kind, template: None, customer: self.customer.clone(), supplied_by: None };
                let (connection_type, provider) = self.find_type()?;
                Ok(Settled { connection_type, provider, owner, definition: None })
            }
        }
    }

    /// Refuses what the kind has not, and misses what it has.
    fn check_parts(&self) -> Result<(), ApiError> {
        let is = |kind| self.kind == kind;
        let foreign = |pointer: &str, kind: &str| {
            ValueError::new(pointer, "not_of_this_kind", format!("This is for the kind `{kind}`: leave it out."))
        };
        let missing = |pointer: &str, detail: &str| ValueError::new(pointer, "missing", detail);
        let errors = [
            (self.template.is_some() && !is(Kind::Customer)).then(|| foreign("/template", "customer")),
            (self.customer.is_some() && !is(Kind::Customer)).then(|| foreign("/customer", "customer")),
            (self.supplied_by.is_some() && !is(Kind::Template)).then(|| foreign("/supplied_by", "template")),
            (self.customer_fields.is_some() && !is(Kind::Template)).then(|| foreign("/customer_fields", "template")),
            (self.provider.is_none() && self.template.is_none())
                .then(|| missing("/provider", "Name the provider: GET /v1/providers lists them.")),
            (self.connection_type.is_none() && self.template.is_none())
                .then(|| missing("/connection_type", "Name the connection type: GET /v1/providers/{provider}.")),
        ];
        ApiError::refuse(errors.into_iter().flatten().collect())
    }

    fn find_type(&self) -> Result<(&'static ConnectionType, String), ApiError> {
        let provider = self.provider.clone().unwrap_or_default();
        Ok((find_type(&provider, self.connection_type.as_deref().unwrap_or_default())?, provider))
    }

    fn template(self) -> Result<Settled, ApiError> {
        let (connection_type, provider) = self.find_type()?;
        let usual = || {
            let specific = connection_type.fields.iter().filter(|field| field.customer_specific);
            specific.map(|field| field.key.clone()).collect()
        };
        let customer_fields: BTreeSet<String> = self.customer_fields.unwrap_or_else(usual);
        let refuse = |code, detail: String| ApiError::refuse(vec![ValueError::new("/customer_fields", code, detail)]);
        if let Some(unknown) = customer_fields.iter().find(|key| connection_type.field(key).is_none()) {
            refuse("unknown_field", format!("This connection type has no field {unknown}."))?;
        }
        let deciding = unsafe_split(connection_type, &customer_fields);
        if !deciding.is_empty() {
            let fields = deciding.join(", ");
            let detail = format!(
                "A secret that is global would be sent where a customer says: let {fields} be global, or every secret \
                 customer-specific."
            );
            refuse("unsafe_split", detail)?;
        }
        let supplied_by = Some(self.supplied_by.unwrap_or(SuppliedBy::Customer));
        Ok(Settled {
            connection_type,
            provider,
            owner: Owner { kind: Kind::Template, template: None, customer: None, supplied_by },
            definition: Some(Definition { customer_fields, customer_count: 0 }),
        })
    }

    fn under(self, template: Option<&Connection>) -> Result<Settled, ApiError> {
        let refuse = |pointer: &str, detail: &str| Err(ApiError::invalid(pointer, detail));
        let is_template = |found: &&Connection| found.environment == self.environment && found.definition.is_some();
        let Some(template) = template.filter(is_template) else {
            return refuse("/template", "There is no such template in this environment.");
        };
        if self.provider.is_some_and(|provider| provider != template.provider) {
            return refuse("/provider", "The template is of another provider: leave it out.");
        }
        if self.connection_type.is_some_and(|key| key != template.connection_type) {
            return refuse("/connection_type", "The template is of another connection type: leave it out.");
        }
        Ok(Settled {
            connection_type: type_of(template)?,
            provider: template.provider.clone(),
            owner: Owner {
                kind: Kind::Customer,
                template: Some(template.id.clone()),
                customer: self.customer,
                supplied_by: template.owner.supplied_by,
            },
            definition: None,
        })
    }
}
