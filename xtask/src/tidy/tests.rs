//! What is read from disk and from Cargo.

use serde_json::json;

use super::*;

#[test]
fn files_are_found_in_order_and_foreign_ones_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, bytes: &[u8]| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write("b.md", b"b");
    write("a/z.rs", b"z");
    write("a/image.png", &[0x89, 0xff]);
    write("target/debug/x.rs", b"x");
    write("tests/sdk/node_modules/x.js", b"x");
    let files = text_files(dir.path()).unwrap();
    let found: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.text.as_str())).collect();
    assert_eq!(found, [("a/z.rs", "z"), ("b.md", "b")]);
}

#[test]
fn crates_come_from_cargo() {
    let metadata = json!({ "packages": [{
        "name": "pando-web",
        "manifest_path": "somewhere/crates/pando-web/Cargo.toml",
        "metadata": { "pando": { "floor": 3 } },
        "dependencies": [
            { "name": "tokio", "kind": null },
            { "name": "tempfile", "kind": "dev" },
        ],
    }, {
        "name": "lost",
        "manifest_path": "somewhere/lost/Cargo.toml",
        "metadata": null,
        "dependencies": [],
    }] });
    let [web, lost] = crates::read(&metadata).unwrap().try_into().unwrap();
    assert_eq!((web.name.as_str(), web.floor), ("pando-web", Some(3)));
    assert_eq!(web.dir, Path::new("somewhere/crates/pando-web"));
    let dependencies: Vec<_> =
        web.dependencies.iter().map(|it| (it.name.as_str(), it.dev)).collect();
    assert_eq!(dependencies, [("tokio", false), ("tempfile", true)]);
    assert_eq!(lost.floor, None);
}

#[test]
fn the_map_names_every_crate() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(described(&[], dir.path()), ["ARCHITECTURE.md: it is missing"]);
    fs::write(dir.path().join("ARCHITECTURE.md"), "`pando-web` serves").unwrap();
    let named = |name: &str| Crate {
        name: name.to_owned(),
        dir: PathBuf::new(),
        floor: Some(3),
        dependencies: Vec::new(),
    };
    let problems = described(&[named("pando-web"), named("pando-edge")], dir.path());
    assert_eq!(problems, ["ARCHITECTURE.md: pando-edge is not described"]);
}

#[test]
fn this_workspace_can_be_read() {
    let crates = crates::read(&workspace::metadata().unwrap()).unwrap();
    assert!(crates.iter().any(|one| one.name == "pando-schema" && one.floor == Some(1)));
    assert!(text_files(&workspace::root()).unwrap().iter().any(|file| file.path == "Cargo.toml"));
}
