//! `Idempotency-Key`: the same request twice creates one thing and gets one answer.

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::app::App;
use crate::store::commit::{Commit, CommitError, Conflict};
use crate::store::idempotency::{Answered, Slot};
use crate::store::{Query, idempotency, nothing};
use crate::token::TokenHash;
use crate::vault::{KeyRing, MacPurpose, Tag};

use super::answer;
use super::claim::Claim;
use super::error::ApiError;
use super::extract::header_text;

const NAME: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The idempotency key of a request, where it has one, and what it is tied to.
pub struct Idempotency {
    key: Option<String>,
    route: String,
    query: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Idempotency {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let key = match parts.headers.get(NAME) {
            None => None,
            Some(_) => Some(parse(header_text(&parts.headers, &NAME))?),
        };
        let route = format!("{} {}", parts.method, parts.uri.path());
        Ok(Self { key, route, query: parts.uri.query().unwrap_or_default().to_owned() })
    }
}

fn parse(key: Option<&str>) -> Result<String, ApiError> {
    let is_key = |key: &&str| (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let key =
        key.filter(is_key).ok_or(ApiError::InvalidHeader("Idempotency-Key is 1 to 255 visible ASCII characters."))?;
    Ok(key.to_owned())
}

/// Whether an answer repeats that of an earlier request.
#[must_use]
pub fn is_replayed(answer: &Response) -> bool {
    answer.headers().contains_key(REPLAYED)
}

/// What a request created, as the answer tells it.
pub struct Created {
    /// Its id.
    pub id: String,
    /// The body of the answer.
    pub body: String,
    /// Whether the body shows a secret: then it is not kept, and a second request gets 409 with the id.
    pub shows_secret: bool,
}

impl Idempotency {
    /// Looks for the answer to an earlier request with the same key.
    #[must_use]
    pub fn find(&self, claim: &Claim) -> Query<Option<Answered>> {
        self.slot(claim).map_or_else(|| nothing().map(|()| None), |slot| idempotency::find(&slot))
    }

    /// The answer to an earlier request, where there was one.
    ///
    /// # Errors
    /// 422 when that was another request, 409 when its answer showed a secret.
    pub fn replay(
        &self,
        ring: &KeyRing,
        body: &[u8],
        answered: Option<Answered>,
    ) -> Result<Option<Response>, ApiError> {
        let Some(answered) = answered else { return Ok(None) };
        let tag = Tag::try_from(answered.request_tag);
        let is_same =
            tag.is_ok_and(|tag| tag.verify(ring, MacPurpose::Idempotency, &self.parts(body)).unwrap_or(false));
        if !is_same {
            return Err(ApiError::IdempotencyKeyReused);
        }
        let Some(text) = answered.body else { return Err(ApiError::AlreadyCreated(answered.resource_id)) };
        let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::CREATED);
        let mut response = self.created(status, text, &answered.resource_id);
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        Ok(Some(response))
    }

    /// Commits what was created and answers 201; when the same request was answered meanwhile, answers what it answered.
    ///
    /// # Errors
    /// When another change was first, or the storage failed.
    pub async fn commit(
        &self,
        (app, claim, ring): (&App, &Claim, &KeyRing),
        body: &[u8],
        mut commit: Commit,
        created: Created,
    ) -> Result<Response, ApiError> {
        if let Some(slot) = self.slot(claim) {
            let tag =
                Tag::make(ring, MacPurpose::Idempotency, &self.parts(body)).map_err(|_| ApiError::KeyUnavailable)?;
            let answered = Answered {
                request_tag: tag.to_string(),
                status: StatusCode::CREATED.as_u16(),
                resource_id: created.id.clone(),
                body: (!created.shows_secret).then(|| created.body.clone()),
            };
            commit.put_first(idempotency::insert(&slot, &answered, app.now()));
        }
        match commit.run(&*app.database).await {
            Ok(()) => Ok(self.created(StatusCode::CREATED, created.body, &created.id)),
            Err(CommitError::Conflict(Conflict::Idempotency)) => {
                let answered = self.find(claim).run(&*app.database).await?;
                self.replay(ring, body, answered)?.ok_or_else(|| CommitError::Conflict(Conflict::Idempotency).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The answer, with where the new resource is found.
    fn created(&self, status: StatusCode, body: String, id: &str) -> Response {
        let mut response = answer::json_text(status, body);
        let path = self.route.split_once(' ').map_or("", |(_, path)| path);
        answer::set(&mut response, header::LOCATION, &format!("{path}/{id}"));
        response
    }

    fn slot(&self, claim: &Claim) -> Option<Slot> {
        let caller = claim.token_hash().map(TokenHash::as_str)?.to_owned();
        Some(Slot { caller, route: self.route.clone(), key: self.key.clone()? })
    }

    fn parts<'a>(&'a self, body: &'a [u8]) -> [&'a [u8]; 3] {
        [self.route.as_bytes(), self.query.as_bytes(), body]
    }
}
