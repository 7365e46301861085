//! The vault from outside, natively. `wasm.rs` makes the same claims in wasm.
#![cfg(not(target_arch = "wasm32"))]

mod golden;

use keyfob::domain::values::{Secret, Secrets};
use keyfob::vault::{KeyRing, Opened};

#[test]
fn golden_entries_open() {
    golden::entries_open();
}

#[test]
fn golden_entries_seal_to_the_same_bytes() {
    golden::entries_seal_to_the_same_bytes();
}

#[test]
fn flipped_bits_are_refused() {
    golden::flipped_bits_are_refused();
}

#[test]
fn golden_check_values_and_tags_are_kept() {
    golden::check_values_and_tags_are_kept();
}

/// Compiles only for types without `Debug`: with it, both implementations apply and the call is ambiguous.
trait WithoutDebug<T> {
    fn has_no_debug() {}
}

struct WithDebug;

impl<T> WithoutDebug<()> for T {}

impl<T: std::fmt::Debug> WithoutDebug<WithDebug> for T {}

#[test]
fn what_holds_a_secret_cannot_be_printed() {
    <Secret as WithoutDebug<_>>::has_no_debug();
    <Secrets as WithoutDebug<_>>::has_no_debug();
    <Opened as WithoutDebug<_>>::has_no_debug();
    <KeyRing as WithoutDebug<_>>::has_no_debug();
}
