//! `GET /v1/connections`, `/v1/connections/facets` and `/v1/connections/{id}`.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::answer::{self, Page};
use crate::api::claim::Claim;
use crate::api::cursor;
use crate::api::error::ApiError;
use crate::api::extract::{InPath, InQuery, Parsed};
use crate::api::openapi::Problems;
use crate::app::App;
use crate::domain::connection::Kind;
use crate::domain::environment::Environment;
use crate::domain::health::{Status, Verdict};
use crate::domain::id::ConnectionId;
use crate::domain::reason::Reason;
use crate::domain::scope::Scope;
use crate::domain::text::{Customer, StableKey, Tag};
use crate::domain::time::Timestamp;
use crate::store::connections;
use crate::store::facets::{self, Facet};
use crate::store::filter::{Filter, Search};
use crate::store::listing::{self, Position, Sort};
use crate::store::walk::SortKey;

use super::view::{self, ConnectionView};

/// The most tags that a filter may name.
const MAX_FILTER_TAGS: usize = 10;
/// The most characters of a search.
const MAX_SEARCH: usize = 200;
/// The most different words of a search: each may be a parameter of its statement, and D1 takes 100.
const MAX_SEARCH_WORDS: usize = 20;

/// The most days that a filter for unused connections may go back.
const MAX_UNUSED_DAYS: u16 = 3650;

/// Defines the query of a list or of its facets: the filters, and what else it has. (`serde(flatten)` would do, but it
/// cannot read numbers from a query.)
macro_rules! filter_query {
    ($(#[doc = $doc:literal] $name:ident [$($first:tt)*] { $($extra:tt)* })+) => {$(
        #[doc = $doc]
        #[derive(Debug, Deserialize, IntoParams, ToSchema)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub struct $name {
            $($first)*
            /// Any of these providers.
            #[serde(default)]
            provider: Vec<String>,
            /// Any of these connection types.
            #[serde(default)]
            connection_type: Vec<String>,
            /// All of these tags.
            #[serde(default)]
            tag: Vec<Tag>,
            /// This status: `active` is shown as Connected, `not_active` as Not connected.
            status: Option<Status>,
            /// This verdict.
            verdict: Option<Verdict>,
            /// This reason.
            reason: Option<Reason>,
            /// Whether it is enabled.
            enabled: Option<bool>,
            /// Whether embedded workflows may use it.
            embedded: Option<bool>,
            /// This kind. Without it, `customer` and `template`: the organization's connections and templates.
            kind: Option<Kind>,
            /// This customer's.
            customer: Option<Customer>,
            /// Those under this template.
            template: Option<ConnectionId>,
            /// Those with this stable key.
            stable_key: Option<StableKey>,
            /// Those that expire before this time (RFC 3339).
            #[serde(default, deserialize_with = "crate::api::extract::time")]
            expires_before: Option<Timestamp>,
            /// Those that expire or are to be rotated before this time (RFC 3339): the first of the two dates counts.
            #[serde(default, deserialize_with = "crate::api::extract::time")]
            due_before: Option<Timestamp>,
            /// Those that were not used for so many days; one that was never used counts from its creation.
            #[param(minimum = 1, maximum = 3650)]
            unused_for: Option<u16>,
            /// Every word of this text, in name, description, provider or tags; any case or accent. Considers the 1,000 newest matches.
            search: Option<String>,
            $($extra)*
        }

        impl $name {
            /// The filter, for an environment.
            ///
            /// # Errors
            /// 400 when a value is out of its bounds.
            pub fn filter(self, environment: Environment, now: Timestamp) -> Result<Filter, ApiError> {
                if self.tag.len() > MAX_FILTER_TAGS {
                    return Err(ApiError::invalid_query("/tag", "Expected at most 10 tags."));
                }
                let search = self.search.unwrap_or_default();
                if search.chars().count() > MAX_SEARCH {
                    return Err(ApiError::invalid_query("/search", "Expected at most 200 characters."));
                }
                let search = Search::parse(&search);
                if search.as_ref().is_some_and(|search| search.words() > MAX_SEARCH_WORDS) {
                    return Err(ApiError::invalid_query("/search", "Expected at most 20 different words."));
                }
                if self.unused_for.is_some_and(|days| !(1..=MAX_UNUSED_DAYS).contains(&days)) {
                    return Err(ApiError::invalid_query("/unused_for", "Expected 1 to 3650 days."));
                }
                let days = |days: u16| Duration::from_hours(24 * u64::from(days));
                Ok(Filter {
                    environment,
                    providers: self.provider,
                    connection_types: self.connection_type,
                    tags: self.tag,
                    status: self.status,
                    verdict: self.verdict,
                    reason: self.reason,
                    enabled: self.enabled,
                    embedded: self.embedded,
                    kind: self.kind,
                    customer: self.customer,
                    template: self.template,
                    stable_key: self.stable_key,
                    expires_before: self.expires_before,
                    due_before: self.due_before,
                    unused_since: self.unused_for.map(|unused| now - days(unused)),
                    search,
                })
            }
        }
    )+};
}

filter_query! {
    /// Which connections, in which order. Filters combine.
    ListQuery [
        /// The environment. Required.
        environment: Environment,
    ] {
        /// The order. Where left out: by `due_at` with `due_before`, by `last_used_at` with `unused_for`, else by `name`.
        #[param(inline)]
        sort: Option<SortQuery>,
        /// `next_cursor` of the page before.
        cursor: Option<String>,
        /// The most connections of a page; a page may be shorter.
        #[param(minimum = 1, maximum = 100, default = 50)]
        limit: Option<u8>,
    }
    /// Which connections are counted. Filters combine.
    FacetsQuery [
        /// The environment. Required.
        environment: Environment,
    ] {}
    /// Which connections are meant: the filters of the list, which combine. Without any: all of the organization's.
    BulkFilter [] {}
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum SortQuery {
    /// By name, any case or accent.
    #[serde(rename = "name")]
    Name,
    /// By name, backwards.
    #[serde(rename = "-name")]
    NameDescending,
    /// The oldest first.
    #[serde(rename = "created_at")]
    Created,
    /// The newest first.
    #[serde(rename = "-created_at")]
    CreatedDescending,
    /// The least recently changed first.
    #[serde(rename = "modified_at")]
    Modified,
    /// The most recently changed first.
    #[serde(rename = "-modified_at")]
    ModifiedDescending,
    /// What expires or is to be rotated first; only connections with such a date.
    #[serde(rename = "due_at")]
    Due,
    /// What expires or is to be rotated last; only connections with such a date.
    #[serde(rename = "-due_at")]
    DueDescending,
    /// The longest unused first; one that was never used counts from its creation.
    #[serde(rename = "last_used_at")]
    Used,
    /// The most recently used first.
    #[serde(rename = "-last_used_at")]
    UsedDescending,
}

impl From<SortQuery> for Sort {
    fn from(sort: SortQuery) -> Self {
        let (key, descending) = match sort {
            SortQuery::Name => (SortKey::Name, false),
            SortQuery::NameDescending => (SortKey::Name, true),
            SortQuery::Created => (SortKey::Created, false),
            SortQuery::CreatedDescending => (SortKey::Created, true),
            SortQuery::Modified => (SortKey::Modified, false),
            SortQuery::ModifiedDescending => (SortKey::Modified, true),
            SortQuery::Due => (SortKey::Due, false),
            SortQuery::DueDescending => (SortKey::Due, true),
            SortQuery::Used => (SortKey::Idle, false),
            SortQuery::UsedDescending => (SortKey::Idle, true),
        };
        Self { key, descending }
    }
}

/// A cursor: the sort that it belongs to, and where the page ended.
type Cursor = (SortQuery, Position);

/// GET /v1/connections
///
/// Lists connections of one environment, a page at a time.
#[utoipa::path(
    get, path = "/v1/connections", tag = "Connections", params(ListQuery),
    responses((status = 200, description = "A page", body = Page<ConnectionView>), Problems)
)]
pub async fn list_connections(app: App, claim: Claim, query: Parsed<InQuery<ListQuery>>) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let by_default = match (query.due_before, query.unused_for) {
        (Some(_), _) => SortQuery::Due,
        (None, Some(_)) => SortQuery::Used,
        (None, None) => SortQuery::Name,
    };
    let (sort, environment) = (query.sort.unwrap_or(by_default), query.environment);
    let limit = claim.accept(&app, cursor::limit(query.limit)).await?;
    let after = claim.accept(&app, after(query.cursor.as_deref(), sort)).await?;
    let filter = claim.accept(&app, query.filter(environment, app.now())).await?;
    let (who, listed) = claim.load(&app, listing::list(&filter, sort.into(), after.as_ref(), limit)).await?;
    who.authorize_in(Scope::ConnectionsRead, environment)?;
    let page = listed.page()?;
    let page = Page {
        data: page.items.iter().map(|item| ConnectionView::listed(&item.connection, app.radar())).collect(),
        next_cursor: page.next.map(|position| cursor::encode(&(sort, position))),
    };
    Ok(answer::json(StatusCode::OK, &page))
}

/// Where the page before ended.
///
/// # Errors
/// 400 when the cursor is not one of this sort.
pub fn after(cursor: Option<&str>, sort: SortQuery) -> Result<Option<Position>, ApiError> {
    let Some(cursor) = cursor else { return Ok(None) };
    let (of, position): Cursor = cursor::decode(cursor)?;
    if of == sort && position.fits(Sort::from(sort).key) { Ok(Some(position)) } else { Err(ApiError::InvalidCursor) }
}

/// A value of a facet and how many connections have it.
#[derive(Debug, Serialize, ToSchema)]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// How many connections have it, under every filter but its own.
    pub count: u64,
    /// Whether all were counted; else there are at least so many.
    pub exact: bool,
}

/// The sidebar's counts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Facets)]
pub struct FacetsView {
    /// Every provider with a connection.
    pub providers: Vec<FacetValue>,
    /// Every tag.
    pub tags: Vec<FacetValue>,
    /// Every status.
    pub statuses: Vec<FacetValue>,
}

/// GET /v1/connections/facets
///
/// Counts connections by provider, tag and status, each under every filter but its own. Selected values stay, even at 0.
#[utoipa::path(
    get, path = "/v1/connections/facets", tag = "Connections", params(FacetsQuery),
    responses((status = 200, description = "The counts", body = FacetsView), Problems)
)]
pub async fn count_facets(app: App, claim: Claim, query: Parsed<InQuery<FacetsQuery>>) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let environment = query.environment;
    let filter = claim.accept(&app, query.filter(environment, app.now())).await?;
    let (who, facets) = claim.load(&app, facets::count(&filter)).await?;
    who.authorize_in(Scope::ConnectionsRead, environment)?;
    let selected_tags: Vec<&str> = filter.tags.iter().map(Tag::as_str).collect();
    let selected_providers: Vec<&str> = filter.providers.iter().map(String::as_str).collect();
    let view = FacetsView {
        providers: facet_values(facets.providers, &selected_providers),
        tags: facet_values(facets.tags, &selected_tags),
        statuses: facet_values(facets.statuses, &["active", "not_active"]),
    };
    Ok(answer::json(StatusCode::OK, &view))
}

/// The values of a facet, those that must stay added at 0.
fn facet_values(facet: Facet, stay: &[&str]) -> Vec<FacetValue> {
    let exact = facet.exact;
    let mut values: Vec<FacetValue> = facet
        .values
        .into_iter()
        .map(|counted| FacetValue { value: counted.value, count: counted.count, exact })
        .collect();
    for value in stay {
        if !values.iter().any(|counted| counted.value == *value) {
            values.push(FacetValue { value: (*value).to_owned(), count: 0, exact });
        }
    }
    values
}

/// GET /v1/connections/{id}
///
/// Finds a connection. Its ETag is what a change needs as `If-Match`.
#[utoipa::path(
    get, path = "/v1/connections/{id}", tag = "Connections", params(("id" = ConnectionId, Path)),
    responses((status = 200, description = "The connection", body = ConnectionView), Problems)
)]
pub async fn find_connection(app: App, claim: Claim, id: Parsed<InPath<ConnectionId>>) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let (who, found) = claim.load(&app, connections::find_connection(&id)).await?;
    let connection = who.authorize(Scope::ConnectionsRead, found)?;
    Ok(view::answer(&app, &connection))
}
