//! The rules that the source keeps, as far as no lint keeps them.
#![cfg(not(target_arch = "wasm32"))]

#[cfg(test)]
mod imports;
#[cfg(test)]
mod source;
#[cfg(test)]
mod words;
