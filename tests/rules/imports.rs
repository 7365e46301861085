//! Imports point one way.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{File, files, words};

/// Every module with those that it uses. Each names only modules that stand before it.
const USES: [(&str, &[&str]); 19] = [
    ("domain", &[]),
    ("ports", &["domain"]),
    ("catalog", &["domain", "ports"]),
    ("vault", &["domain", "ports"]),
    ("egress", &["domain", "ports"]),
    ("probe", &["catalog", "domain", "egress", "ports"]),
    ("oauth", &["catalog", "domain", "egress", "ports"]),
    ("store", &["catalog", "domain", "ports", "vault"]),
    ("token", &["ports"]),
    ("webhook", &["domain", "egress", "ports"]),
    ("jwt", &["domain", "ports"]),
    ("people", &["domain", "egress", "jwt", "ports"]),
    ("config", &["egress", "people", "token", "vault"]),
    ("trace", &["domain", "ports"]),
    ("app", &["config", "domain", "egress", "people", "ports", "probe", "trace", "vault"]),
    (
        "api",
        &[
            "app", "catalog", "config", "domain", "egress", "jwt", "oauth", "people", "ports", "probe", "store",
            "token", "vault", "webhook",
        ],
    ),
    ("jobs", &["api", "app", "domain", "ports", "store", "vault", "webhook"]),
    ("router", &["api", "app"]),
    ("platform", &["api", "app", "config", "domain", "jobs", "ports", "router"]),
];

#[test]
fn a_module_uses_only_those_before_it() {
    let mut before = BTreeSet::new();
    for (module, uses) in USES {
        assert!(uses.iter().all(|used| before.contains(used)), "{module} uses what stands after it");
        before.insert(module);
    }
}

#[test]
fn a_module_imports_what_the_table_says_and_the_table_says_no_more() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files("src").iter().filter(|file| file.path != "src/lib.rs") {
        let uses = found.entry(file.module().to_owned()).or_default();
        uses.extend(imports(file).into_iter().filter(|used| used != file.module()));
    }
    let table = USES.map(|(module, uses)| (module.to_owned(), uses.iter().map(ToString::to_string).collect()));
    assert_eq!(found, BTreeMap::from(table));
}

/// The modules of the crate that a file names.
fn imports(file: &File) -> Vec<String> {
    let mut imports = Vec::new();
    for (number, line) in file.code() {
        for (at, path) in line.match_indices("crate::") {
            let used = words(&line[at + path.len()..]).next().unwrap_or_default();
            assert!(USES.iter().any(|(module, _)| *module == used), "{}:{number}: name the module: {line}", file.path);
            imports.push(used.to_owned());
        }
        assert!(!line.contains("super::super"), "{}:{number}: begin with crate: {line}", file.path);
        assert!(!line.contains("keyfob::"), "{}:{number}: begin with crate: {line}", file.path);
        // At the top, `super` is the crate: a sibling would be named without its name being seen above.
        let is_top = !file.path["src/".len()..].contains('/') || file.path.ends_with("/mod.rs");
        let siblings = line.split("super::").skip(1).filter_map(|rest| words(rest).next());
        for sibling in siblings.filter(|_| is_top) {
            let is_module = USES.iter().any(|(module, _)| *module == sibling);
            assert!(!is_module || is_deep(file), "{}:{number}: begin with crate: {line}", file.path);
        }
    }
    imports
}

/// Whether a file stands below a module of the top: there, `super` is not the crate.
fn is_deep(file: &File) -> bool {
    file.path.matches('/').count() > 2
}

#[test]
fn the_map_of_the_crate_names_the_modules_in_this_order() {
    let map = include_str!("../../src/lib.rs");
    let lines = map.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
    let named: Vec<&str> = lines.map(|rest| rest.trim_end_matches(';')).collect();
    assert_eq!(named, USES.map(|(module, _)| module));
}
