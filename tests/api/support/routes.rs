//! The routes of the router, read from its source: axum tells nobody what it routes.

/// Every method and path that the router answers, `OPTIONS` included.
pub(crate) fn routes() -> Vec<(String, String)> {
    let source = include_str!("../../../src/router.rs");
    source.split(".route(").skip(1).flat_map(route).collect()
}

/// The methods of one call of `route`, of which this is the source from its first argument on.
fn route(source: &str) -> Vec<(String, String)> {
    let (_, rest) = source.split_once('"').unwrap();
    let (path, rest) = rest.split_once('"').unwrap();
    let arguments = until_closed(rest);
    let methods = ["get", "post", "put", "patch", "delete", "options", "head", "any"];
    let named = methods.into_iter().filter(|method| {
        let call = format!("{method}(");
        let mut calls = arguments.match_indices(&call).map(|(at, _)| at);
        calls.any(|at| !arguments[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    });
    named.map(|method| (method.to_uppercase(), path.to_owned())).collect()
}

/// The source up to the parenthesis that closes the call.
fn until_closed(source: &str) -> &str {
    let mut depth = 1;
    for (at, c) in source.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &source[..at];
        }
    }
    source
}
