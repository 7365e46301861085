//! Prints the page about the providers, made from their files by the build script.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(include_bytes!(concat!(env!("OUT_DIR"), "/providers.md")))
}
