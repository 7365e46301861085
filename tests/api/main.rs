//! The API as callers see it, one file a resource: requests in, whole answers out.
#![cfg(not(target_arch = "wasm32"))]

#[cfg(test)]
mod access;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bulk;
#[cfg(test)]
mod compatible;
#[cfg(test)]
mod connect_links;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod embedded;
#[cfg(test)]
mod health;
#[cfg(test)]
mod history;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod mending;
#[cfg(test)]
mod merging;
#[cfg(test)]
mod naughty;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod orphans;
#[cfg(test)]
mod people;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod retest;
#[cfg(test)]
mod reveal;
#[cfg(test)]
mod scheduled;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod signing_keys;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tick;
#[cfg(test)]
mod transfer;
#[cfg(test)]
mod usages;
#[cfg(test)]
mod webhooks;
