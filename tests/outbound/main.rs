//! What leaves Keyfob, against real sockets on loopback: the guarded exchange, and the tests of connections over it.
#![cfg(not(target_arch = "wasm32"))]

#[cfg(test)]
mod addresses;
#[cfg(test)]
#[path = "../api/support/counterpart.rs"]
mod counterpart;
#[cfg(test)]
mod databases;
#[cfg(test)]
mod egress;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod oauth;
#[cfg(test)]
#[path = "../api/support/ports.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod ports;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod providers;
#[cfg(test)]
#[path = "../api/support/signing.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod signing;
#[cfg(test)]
mod sigv4;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod timing;
