//! Revocation of a connection's tokens at its provider (RFC 7009), when a deletion asks for it.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::error::ApiError;
use crate::app::App;
use crate::oauth::{self, Tokens};
use crate::store::sources::Sources;

use super::effective::INCOMPLETE;
use super::tokens::Subject;
use super::{authorize, values};

/// What becomes of the tokens at the provider.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RevokeQuery {
    /// `true`: revoke its tokens at the provider first. Where that fails nothing is deleted.
    #[serde(default)]
    pub revoke: bool,
}

/// Revokes the tokens of a connection; nothing where it has none.
///
/// # Errors
/// 400 where its type has nothing that could be revoked, 502 where the provider did not do it.
pub async fn revoke(app: &App, sources: &Sources) -> Result<(), ApiError> {
    let connection_type = values::type_of(&sources.connection)?;
    if connection_type.oauth.is_none() {
        return Err(ApiError::invalid_query(
            "/revoke",
            "This connection has no tokens that could be revoked: leave it out.",
        ));
    }
    let Some(row) = sources.tokens.as_ref().filter(|row| row.held.generation > 0 && row.held.ended_at.is_none()) else {
        return Ok(());
    };
    let ring = app.ring()?;
    let draft = authorize::draft(app, ring, sources).await?;
    let subject = Subject::new((app, ring), sources, (&draft.settings, &draft.secrets))?.ok_or(INCOMPLETE)?;
    if row.held.basis != subject.basis() {
        // They are another server's: the one of today must not see them.
        return Err(ApiError::NotRevoked);
    }
    let opened = values::open(app, ring, Some(row.held.generation), row.entry.as_ref()).await?;
    let allowed = subject.allowed()?.intersection(&opened.destinations).cloned().collect();
    let mut deadline = app.egress.deadline();
    let found = oauth::addresses(&app.egress, subject.client(), &allowed, &mut deadline).await;
    let at = found.map_err(|_| ApiError::NotRevoked)?.revoke.ok_or_else(|| {
        ApiError::invalid_query("/revoke", "This provider revokes nothing: leave it out, and remove the app there.")
    })?;
    let refresh = opened.secrets.0.get(Tokens::REFRESH).map(|token| (token, "refresh_token"));
    let access = || opened.secrets.0.get(Tokens::ACCESS).map(|token| (token, "access_token"));
    // A server that revokes a refresh token revokes the access tokens of the same consent (RFC 7009, section 2.1).
    let Some(token) = refresh.or_else(access) else { return Ok(()) };
    let revoked = oauth::revoke(&app.egress, subject.client(), (&at, &allowed), token, &mut deadline).await;
    revoked.map_err(|_| ApiError::NotRevoked)
}
