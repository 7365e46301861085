//! A provider file read: TOML and icon in, a checked provider out. Only the build script and the tests read files.

use super::check::{Fault, check};
use super::file::Provider;

/// Reads a provider from the texts of its two files.
///
/// # Errors
/// When the TOML is none, has not the shape of a provider, or breaks a rule: every fault that was found.
pub(crate) fn read(folder: &str, toml: &str, icon: &str) -> Result<Provider, Vec<Fault>> {
    let fault = |key: String, problem: &str| vec![Fault { key, problem: problem.to_owned() }];
    let deserializer = toml::Deserializer::parse(toml).map_err(|error| fault("TOML".to_owned(), error.message()))?;
    let mut provider: Provider = serde_path_to_error::deserialize(deserializer)
        .map_err(|error| fault(error.path().to_string(), error.inner().message()))?;
    if !provider.icon.is_empty() {
        return Err(fault("icon".to_owned(), "belongs into icon.svg"));
    }
    icon.trim().clone_into(&mut provider.icon);
    let faults = check(&provider, folder);
    if faults.is_empty() { Ok(provider) } else { Err(faults) }
}

/// Every provider file of the project.
#[cfg(test)]
pub(super) fn files() -> Vec<Provider> {
    let folders = std::fs::read_dir("providers").unwrap().map(|entry| entry.unwrap().path());
    let text = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    let file = |folder: std::path::PathBuf| {
        let key = folder.file_name().unwrap().to_string_lossy().into_owned();
        read(&key, &text(folder.join("provider.toml")), &text(folder.join("icon.svg"))).unwrap()
    };
    folders.map(file).collect()
}
