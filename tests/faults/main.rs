//! Nothing acknowledged is lost: every effect of every operation fails in every way, operations of many clients interleave at
//! every await, and the blob store shows elsewhere late what was written here. All in simulated time, from one seed.
#![cfg(not(target_arch = "wasm32"))]

#[cfg(test)]
mod claims;
#[cfg(test)]
mod crowds;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod locations;
#[cfg(test)]
mod model;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod renewal;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod sweep;
#[cfg(test)]
mod world;

#[cfg(test)]
#[expect(dead_code, reason = "the tests of the API use the rest")]
#[path = "../api/support/mod.rs"]
mod support;
