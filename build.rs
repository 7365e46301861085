//! Builds the catalogue: reads and checks every provider file with the crate's own types and rules. A bad file stops
//! the build with its name and the key at fault. Of each file comes
//! - what the Worker's logic needs: `catalog.json`, compiled into the crate;
//! - what is only shown: `assets.json`, text by path, which `scripts/assets.mjs` puts among the static files;
//! - what is read: `providers.md`, whose committed copy is `docs/providers.md`.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::{env, fs};

use catalog::file;
use catalog::provider::Provider;
use catalog::view::{ProviderView, icon_path, view_path};
use serde_json::Value;

#[path = "src/catalog"]
#[expect(dead_code, unreachable_pub, reason = "the crate uses the rest of these modules")]
mod catalog {
    pub mod check;
    pub mod document;
    pub mod file;
    pub mod json_schema;
    pub mod pattern;
    pub mod provider;
    pub mod reach;
    pub mod read;
    pub mod shape;
    pub mod statuses;
    pub mod template;
    pub mod view;
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
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("catalog.json"), catalog(&providers)?)?;
    fs::write(Path::new(&out).join("providers.md"), catalog::document::document(&providers))?;
    fs::write(Path::new(&out).join("assets.json"), serde_json::to_string(&assets(&providers)?)?)?;
    Ok(())
}

/// What is compiled into the crate.
fn catalog(files: &[file::Provider]) -> Result<String, Box<dyn Error>> {
    let providers: Vec<Provider> = files.iter().map(Provider::from).collect();
    let mut json = serde_json::to_value(&providers)?;
    drop_nulls(&mut json);
    let json = json.to_string();
    // The crate reads this text with the same types: what does not come back would be lost there.
    if serde_json::from_str::<Vec<Provider>>(&json)? != providers {
        return Err("the catalogue does not survive its JSON".into());
    }
    Ok(json)
}

/// What is not there need not be said.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// What is only shown, by path.
fn assets(files: &[file::Provider]) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let mut assets = BTreeMap::new();
    for file in files {
        assets.insert(icon_path(&file.key), file.icon.clone());
        assets.insert(view_path(&file.key), serde_json::to_string(&ProviderView::from(file))?);
    }
    Ok(assets)
}

/// Reads the provider in a folder; the faults name the file.
fn read(folder: &Path) -> Result<Result<file::Provider, Vec<String>>, Box<dyn Error>> {
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
