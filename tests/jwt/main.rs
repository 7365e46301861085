//! Tokens that others signed: what holds, what is refused, and that nothing else holds.
#![cfg(not(target_arch = "wasm32"))]

#[cfg(test)]
mod properties;
#[cfg(test)]
mod refusals;
#[cfg(test)]
#[path = "../api/support/signing.rs"]
mod signing;
#[cfg(test)]
mod vectors;
