//! Builds the catalogue into the crate: reads and checks every provider file with the crate's own types and rules,
//! and writes them as one `catalog.json`. A bad file stops the build with its name and the key at fault.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use catalog::file::Provider;

#[path = "src/catalog"]
#[expect(unreachable_pub, reason = "the crate uses the rest of these modules")]
mod catalog {
    pub mod check;
    pub mod file;
    pub mod pattern;
    pub mod read;
    pub mod shape;
    pub mod statuses;
    pub mod template;
}

#[path = "src/domain"]
#[expect(dead_code, unreachable_pub, reason = "the crate uses the rest of these modules")]
mod domain {
    pub mod reason;
    pub mod verdict;
}

fn main() -> Result<(), Box<dyn Error>> {
    tell_cargo("rerun-if-changed=providers");
    let (mut providers, mut faults) = (Vec::new(), Vec::new());
    for entry in fs::read_dir("providers")? {
        match read(&entry?.path())? {
            Ok(provider) => providers.push(provider),
            Err(found) => faults.extend(found),
        }
    }
    for fault in &faults {
        tell_cargo(&format!("error={fault}"));
    }
    if !faults.is_empty() {
        return Err("a provider file breaks a rule of docs/providers-format.md".into());
    }
    providers.sort_by(|a, b| a.key.cmp(&b.key));
    let json = serde_json::to_string(&providers)?;
    // The crate reads this text with the same types: what does not come back would be lost there.
    if serde_json::from_str::<Vec<Provider>>(&json)? != providers {
        return Err("the catalogue does not survive its JSON".into());
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("catalog.json"), json)?;
    Ok(())
}

/// Reads the provider in a folder; the faults name the file.
fn read(folder: &Path) -> Result<Result<Provider, Vec<String>>, Box<dyn Error>> {
    let file = folder.join("provider.toml");
    let text = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let (toml, icon) = (text(&file)?, text(&folder.join("icon.svg"))?);
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let named = |fault: catalog::check::Fault| format!("{}: {fault}", file.display());
    Ok(catalog::read::read(&name, &toml, &icon).map_err(|faults| faults.into_iter().map(named).collect()))
}

fn tell_cargo(line: &str) {
    println!("cargo::{line}");
}
