//! Crates made up on the spot, one rule each.

use expect_test::{Expect, expect};

use super::*;

fn on_floor(name: &str, floor: u64, dependencies: &[&str]) -> Crate {
    let dependencies = dependencies.iter().map(|text| {
        let (name, dev) = text.strip_prefix("dev ").map_or((*text, false), |name| (name, true));
        Dependency { name: name.to_owned(), dev }
    });
    Crate {
        name: name.to_owned(),
        dir: Default::default(),
        floor: Some(floor),
        dependencies: dependencies.collect(),
    }
}

#[track_caller]
fn check_problems(crates: &[Crate], expect: Expect) {
    expect.assert_eq(&check(crates).join("\n"));
}

#[test]
fn the_house_as_planned_has_no_problem() {
    check_problems(
        &[
            on_floor("pando-schema", 1, &["serde"]),
            on_floor("pando-filter", 1, &["pando-schema", "dev rusqlite", "dev pando-testkit"]),
            on_floor("pando-store", 2, &["pando-filter", "rusqlite", "tokio"]),
            on_floor("pando-web", 3, &["pando-store", "pando-filter", "hyper"]),
            on_floor("pando-testkit", 4, &["anyhow"]),
            on_floor("pando", 4, &["pando-web", "dev pando-testkit"]),
            on_floor("xtask", 5, &["pando-testkit"]),
        ],
        expect![""],
    );
}

#[test]
fn imports_go_down() {
    let crates = [on_floor("pando-store", 2, &["pando-web"]), on_floor("pando-web", 3, &[])];
    check_problems(
        &crates,
        expect![
            "pando-store (floor 2) imports pando-web (floor 3): a crate imports from lower floors only"
        ],
    );
}

#[test]
fn inside_a_floor_the_order_decides() {
    let crates = [on_floor("pando-schema", 1, &["pando-filter"]), on_floor("pando-filter", 1, &[])];
    check_problems(
        &crates,
        expect![
            "pando-schema (floor 1) imports pando-filter (floor 1): on its own floor only from crates that stand before it"
        ],
    );
}

#[test]
fn roles_are_strangers() {
    let crates = [on_floor("pando-edge", 3, &[]), on_floor("pando-web", 3, &["pando-edge"])];
    check_problems(
        &crates,
        expect!["pando-web (floor 3) imports pando-edge (floor 3): roles never import each other"],
    );
}

#[test]
fn the_testkit_is_for_tests() {
    let crates = [on_floor("pando-testkit", 4, &[]), on_floor("pando", 4, &["pando-testkit"])];
    check_problems(&crates, expect!["pando: pando-testkit may only be a dev-dependency"]);
}

#[test]
fn pure_crates_do_not_wait() {
    let crates = [on_floor("pando-filter", 1, &["tokio-util", "hyper", "dev tokio"])];
    check_problems(
        &crates,
        expect![[r#"
        pando-filter: a pure crate cannot depend on tokio-util
        pando-filter: a pure crate cannot depend on hyper"#]],
    );
}

#[test]
fn libraries_have_owners() {
    let crates = [
        on_floor("pando-web", 3, &["rusqlite", "dev rusqlite"]),
        on_floor("pando-filter", 1, &["rusqlite"]),
        on_floor("pando-queue", 2, &["async-nats"]),
    ];
    check_problems(
        &crates,
        expect![[r#"
        pando-web: rusqlite belongs to pando-store alone
        pando-web: rusqlite belongs to pando-store alone
        pando-filter: rusqlite belongs to pando-store alone"#]],
    );
}

#[test]
fn a_crate_has_a_floor_and_a_place() {
    let mut lost = on_floor("pando-lost", 9, &[]);
    check_problems(
        &[lost.clone()],
        expect![[r#"
        pando-lost: set package.metadata.pando.floor to a number of 1..=5
        pando-lost: give it a place in the order of xtask's tidy"#]],
    );
    lost.floor = None;
    lost.name = "pando-web".to_owned();
    check_problems(
        &[lost],
        expect!["pando-web: set package.metadata.pando.floor to a number of 1..=5"],
    );
}
