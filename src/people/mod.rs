//! Who people are, as Cloudflare Access says, and what they may do, as the operator says.
//!
//! Access stands in front of Keyfob, lets people sign in with the organization's identity provider, and hands a signed token
//! on with each request. Here that token is verified and its e-mail address or groups mapped to scopes and environments.
//! It knows nothing of HTTP requests, cookies or sessions.
//!
//! Source: <https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/>.

mod keys;
mod roles;
mod settings;
mod sign_in;

pub use roles::{Roles, RolesError};
pub use settings::{Settings, SettingsError};
pub use sign_in::{Proved, Refused, SignIn};
