//! What signs the requests of a connection, where its type does not send a credential but proves that it has one. It
//! knows the values; how each scheme signs is in `probe`.

use super::file::Auth;
use super::fill::{FillError, Values};
use super::provider::ConnectionType;
use super::template::Template;
use crate::domain::values::{Secret, Secrets, Settings};

/// The values of a scheme that signs.
pub enum Signing {
    /// AWS Signature Version 4.
    AwsSigv4(AwsSigv4),
}

/// Access keys, and what they sign for.
pub struct AwsSigv4 {
    /// The keys.
    pub keys: AwsKeys,
    /// The region of the signature.
    pub region: String,
    /// The service of the signature.
    pub service: String,
    /// The role that is assumed first.
    pub role: Option<AwsRole>,
}

/// Access keys of AWS.
pub struct AwsKeys {
    /// The access key id, which is no secret.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token of temporary keys.
    pub session_token: Option<Secret>,
}

/// A role to assume.
pub struct AwsRole {
    /// Its ARN.
    pub arn: String,
    /// The external id, where its trust policy asks for one.
    pub external_id: Option<String>,
}

/// What signs with these values; none where the connection type does not sign.
///
/// # Errors
/// When a value that is needed is not there, or is not what the scheme signs with.
pub fn signing(
    connection_type: &ConnectionType,
    settings: &Settings,
    secrets: &Secrets,
) -> Result<Option<Signing>, FillError> {
    let Some(request) = connection_type.request() else { return Ok(None) };
    let values = Values { settings, secrets };
    let signing = match &request.auth {
        Auth::AwsSigv4 { access_key_id, secret_access_key, session_token, region, service, role_arn, external_id } => {
            let keys = AwsKeys {
                access_key_id: values.text(access_key_id)?,
                secret_access_key: Secret::new(values.text(secret_access_key)?),
                session_token: optional(values, session_token.as_ref())?.map(Secret::new),
            };
            let external_id = optional(values, external_id.as_ref())?;
            let role = optional(values, role_arn.as_ref())?.map(|arn| AwsRole { arn, external_id });
            Signing::AwsSigv4(AwsSigv4 { keys, region: values.text(region)?, service: service.clone(), role })
        }
        _ => return Ok(None),
    };
    Ok(Some(signing))
}

fn optional(values: Values<'_>, template: Option<&Template>) -> Result<Option<String>, FillError> {
    match template.map(|template| values.text(template)) {
        None | Some(Err(FillError::Unset(_))) => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(unfit)) => Err(unfit),
    }
}
