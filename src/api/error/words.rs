//! How each problem is told: its status, its stable code, and a sentence that says what to do.

use http::StatusCode;

use super::ApiError;

impl ApiError {
    /// Status, code and sentence.
    #[expect(clippy::too_many_lines, reason = "one table: a line or two for each problem")]
    pub(super) fn words(&self) -> (StatusCode, &'static str, String) {
        use StatusCode as S;
        let (status, code, detail) = match self {
            Self::Unauthorized => (S::UNAUTHORIZED, "unauthorized", "Send a valid key as `Authorization: Bearer …`."),
            Self::TooManyFailures => {
                (S::TOO_MANY_REQUESTS, "too_many_failures", "Too many failed authentications from this address: wait.")
            }
            Self::MissingScope(scope) => {
                let scope = serde_json::to_value(scope).unwrap_or_default();
                let detail = format!("This key lacks the scope {}.", scope.as_str().unwrap_or_default());
                return (S::FORBIDDEN, "missing_scope", detail);
            }
            Self::EnvironmentNotAllowed(environment) => {
                let detail = format!("This key may not use the environment {}.", environment.as_str());
                return (S::FORBIDDEN, "environment_not_allowed", detail);
            }
            Self::KeyRequired => {
                (S::FORBIDDEN, "key_required", "This route is for API keys and people, not for embedded sessions.")
            }
            Self::SessionRequired => (
                S::FORBIDDEN,
                "session_required",
                "This route is for embedded sessions: mint one with POST /v1/embedded/sessions.",
            ),
            Self::BuilderRequired => {
                (S::FORBIDDEN, "builder_required", "This route is for builder sessions: mint one without a customer.")
            }
            Self::NotOwn => (
                S::FORBIDDEN,
                "not_own",
                "This connection is the organization's to change: only own ones can be changed here.",
            ),
            Self::ForeignOrigin => (
                S::FORBIDDEN,
                "foreign_origin",
                "This is for pages of this Keyfob alone, as whatever changes something with a session in a cookie: the Origin is another.",
            ),
            Self::GrantExceeded => (
                S::FORBIDDEN,
                "grant_exceeded",
                "A key grants only scopes and environments that it has itself, and for no longer than it lives.",
            ),
            Self::NotFound => (S::NOT_FOUND, "not_found", "There is nothing here that this caller may see."),
            Self::StableKeyUnknown => (
                S::NOT_FOUND,
                "stable_key_not_found",
                "No connection of this environment has this stable key: create one, or import it.",
            ),
            Self::StepUnknown => (
                S::NOT_FOUND,
                "step_not_found",
                "The step uses no connection: register it with PUT /v1/connections/{id}/usages/{workflow}/{step}.",
            ),
            Self::CustomerNotConnected => (
                S::NOT_FOUND,
                "customer_not_connected",
                "The customer has no connection under this template: they have to connect first.",
            ),
            Self::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "method_not_allowed", "This route does not answer this method.")
            }
            Self::InvalidQuery(_) => (S::BAD_REQUEST, "invalid_query", "A query parameter is wrong."),
            Self::InvalidCursor => (
                S::BAD_REQUEST,
                "invalid_cursor",
                "Pass `next_cursor` as it came, with the same sort, or leave it out to begin anew.",
            ),
            Self::InvalidHeader(detail) => (S::BAD_REQUEST, "invalid_header", *detail),
            Self::InvalidJson => (S::BAD_REQUEST, "invalid_json", "The body is not JSON, or nested too deeply."),
            Self::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send the body as `Content-Type: application/json`.",
            ),
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "body_too_large", "A body may have 1 MiB at most."),
            Self::InvalidBody(_) => {
                (S::UNPROCESSABLE_ENTITY, "invalid_body", "Values of the body are wrong: see `errors`.")
            }
            Self::PreconditionRequired => {
                (S::PRECONDITION_REQUIRED, "if_match_required", "Send the ETag of what you read as `If-Match`.")
            }
            Self::PreconditionFailed => (
                S::PRECONDITION_FAILED,
                "version_mismatch",
                "It was changed since you read it: read it again and repeat your change.",
            ),
            Self::StableKeyTaken => (
                S::CONFLICT,
                "stable_key_taken",
                "Another connection of this environment has this stable key: choose another.",
            ),
            Self::OriginTaken => (S::CONFLICT, "origin_taken", "This origin is registered already."),
            Self::OriginNotRegistered => (
                S::FORBIDDEN,
                "origin_not_registered",
                "Pages of this origin may not embed: register it with POST /v1/embedded/origins.",
            ),
            Self::TokenUsed => {
                (S::CONFLICT, "token_used", "It was exchanged before, and is good for once: ask for a new one.")
            }
            Self::InUse(count, _) => {
                let detail = format!(
                    "Steps use it ({count}), see `usages`: name another connection with `replace_with`, or pass `force=true`."
                );
                return (S::CONFLICT, "connection_in_use", detail);
            }
            Self::UsagesChanged => (
                S::CONFLICT,
                "usages_changed",
                "Its usages changed meanwhile: read them again and repeat your request.",
            ),
            Self::ConnectionsChanged => (
                S::CONFLICT,
                "connections_changed",
                "Some of these connections were changed meanwhile, and nothing was done: repeat your request.",
            ),
            Self::TemplateInUse(count) => {
                let detail = format!(
                    "Customers have connections under this template ({count}): disable it, or delete theirs first."
                );
                return (S::CONFLICT, "template_in_use", detail);
            }
            Self::CustomersAffected(count) => {
                let detail = format!(
                    "Secrets would be sent elsewhere, so that customers ({count}) have to enter theirs again: pass \
                     `force=true` if that is meant."
                );
                return (S::CONFLICT, "customers_affected", detail);
            }
            Self::TemplateChanged => (
                S::CONFLICT,
                "template_changed",
                "The template was changed meanwhile: read it again and repeat your request.",
            ),
            Self::CustomerConnected => (
                S::CONFLICT,
                "customer_connected",
                "The customer has a connection under this template: change that one.",
            ),
            Self::TooManyOfCustomer => (
                S::CONFLICT,
                "too_many_connections",
                "A customer may have 200 connections in an environment: delete one first.",
            ),
            Self::CustomerChanged => {
                (S::CONFLICT, "customer_changed", "The customer's connections changed meanwhile: repeat your request.")
            }
            Self::TooManyUsages => (
                S::CONFLICT,
                "too_many_usages",
                "A connection may have 10,000 usages: use another one for further steps.",
            ),
            Self::AlreadyCreated(id) => {
                let detail =
                    format!("The first request with this Idempotency-Key created {id}; its secret is shown once only.");
                return (S::CONFLICT, "already_created", detail);
            }
            Self::IdempotencyKeyReused => (
                S::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "This Idempotency-Key came with another request before: use a new one.",
            ),
            Self::ImportConflicts(_) => (
                S::CONFLICT,
                "import_conflicts",
                "Definitions say what connections that exist cannot become: see `errors`. Nothing was imported.",
            ),
            Self::RevisionIncompatible(_) => (
                S::CONFLICT,
                "revision_incompatible",
                "The revision does not fit what the provider needs today: enter the values anew.",
            ),
            Self::NotResolvable(code, detail) => (S::CONFLICT, *code, *detail),
            Self::NoMessage => {
                (S::UNPROCESSABLE_ENTITY, "no_message", "Connections of this type send no message: leave `mode` out.")
            }
            Self::RateLimited(_) => {
                (S::TOO_MANY_REQUESTS, "rate_limited", "Too often: try again after the time in Retry-After.")
            }
            Self::NotRevoked => (
                S::BAD_GATEWAY,
                "revocation_failed",
                "The provider did not revoke the tokens, so nothing was deleted: try again, or delete without `revoke`.",
            ),
            Self::TokensUnavailable => (
                S::SERVICE_UNAVAILABLE,
                "tokens_unavailable",
                "The provider gives no new token at the moment, and the old one has ended: try again.",
            ),
            Self::SecretPending => (
                S::SERVICE_UNAVAILABLE,
                "secret_pending",
                "The secret was stored a moment ago and is not visible here yet: try again.",
            ),
            Self::KeyUnavailable => (
                S::SERVICE_UNAVAILABLE,
                "key_unavailable",
                "The master key is missing or wrong: the operator has to set MASTER_KEYS.",
            ),
            Self::AccessUnavailable => (
                S::SERVICE_UNAVAILABLE,
                "access_unavailable",
                "The keys of Cloudflare Access cannot be read right now: try again.",
            ),
            Self::Misconfigured => (
                S::SERVICE_UNAVAILABLE,
                "misconfigured",
                "The operator has to correct the configuration: the log says what.",
            ),
            Self::StorageUnavailable(_) => (
                S::SERVICE_UNAVAILABLE,
                "storage_unavailable",
                "The storage did not answer: try again, with the same Idempotency-Key.",
            ),
            Self::Internal(_) => (
                S::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong here; the request id tells the operator what.",
            ),
        };
        (status, code, detail.to_owned())
    }
}
