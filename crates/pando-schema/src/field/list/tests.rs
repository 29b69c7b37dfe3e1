use expect_test::expect;

use super::*;
use crate::FieldKind;

fn field(id: &str, name: &str, type_name: &str) -> Field {
    let mut field = Field::new(name, FieldKind::blank(type_name).unwrap());
    field.id = id.to_owned();
    field
}

fn ids(fields: Vec<Field>) -> String {
    let list = collect_fields(fields);
    list.iter()
        .map(|field| format!("{}:{}:{}", field.id, field.name, field.kind.type_name()))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_field_without_id_gets_one_from_kind_and_name() {
    let list = ids(vec![field("", "title", "text"), field("", "n", "number")]);
    expect!["text724990059:title:text number2013832146:n:number"].assert_eq(&list);
}

#[test]
fn a_field_without_id_replaces_its_namesake_and_takes_over_the_id() {
    let list = ids(vec![field("q", "a", "text"), field("", "a", "bool")]);
    expect!["q:a:bool"].assert_eq(&list);
}

#[test]
fn a_field_with_an_id_replaces_only_the_same_id() {
    let list = ids(vec![field("q", "a", "text"), field("w", "a", "bool"), field("q", "b", "url")]);
    expect!["q:b:url w:a:bool"].assert_eq(&list);
}

#[test]
fn a_taken_default_id_gets_a_number() {
    let list = ids(vec![field("text724990059", "x", "text"), field("", "title", "text")]);
    expect!["text724990059:x:text text7249900592:title:text"].assert_eq(&list);
}
