//! What must hold in wasm as it does natively, run by the wasm-bindgen test runner.
#![cfg(target_arch = "wasm32")]

mod golden;

use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn golden_entries_open() {
    golden::entries_open();
}

#[wasm_bindgen_test]
fn golden_entries_seal_to_the_same_bytes() {
    golden::entries_seal_to_the_same_bytes();
}

#[wasm_bindgen_test]
fn flipped_bits_are_refused() {
    golden::flipped_bits_are_refused();
}

#[wasm_bindgen_test]
fn golden_check_values_and_tags_are_kept() {
    golden::check_values_and_tags_are_kept();
}
