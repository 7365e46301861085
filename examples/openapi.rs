//! Prints the OpenAPI document of the API, made from its types and handlers.

use std::io::Write;

use keyfob::api::openapi::Document;
use utoipa::OpenApi;

fn main() -> std::io::Result<()> {
    let document = Document::openapi().to_pretty_json().map_err(std::io::Error::other)?;
    writeln!(std::io::stdout(), "{document}")
}
