use expect_test::expect;

use super::*;

#[test]
fn problems_show_as_sentences_with_codes_and_params() {
    let mut parts = Problems::default();
    parts.add("max", Problem::new("too_big", "must be small").with_param("max", 3));
    let mut problems = Problems::default();
    problems.add("name", Problem::required());
    problems.add_parts("0", parts);
    let shown = serde_json::to_string(&problems.to_json()).unwrap();
    expect![[r#"{"0":{"max":{"code":"too_big","message":"Must be small.","params":{"max":3}}},"name":{"code":"validation_required","message":"Cannot be blank."}}"#]].assert_eq(&shown);
    let bare = serde_json::to_string(&problems.messages()).unwrap();
    expect![[r#"{"0":{"max":"must be small"},"name":"cannot be blank"}"#]].assert_eq(&bare);
}

#[test]
fn the_first_problem_of_a_field_stays() {
    let mut problems = Problems::default();
    problems.add("name", Problem::new("first", ""));
    problems.add("name", Problem::new("second", ""));
    assert_eq!(problems.0["name"], ProblemTree::One(Problem::new("first", "")));
}

#[test]
fn a_sentence_keeps_its_own_ending() {
    assert_eq!(sentence(" is it? "), "Is it?");
    assert_eq!(sentence("ünder"), "Ünder.");
    assert_eq!(sentence(""), "");
}

#[test]
fn all_problems_make_one_sentence() {
    let mut inner = Problems::default();
    inner.add("code", Problem::new("x", "is bad"));
    let mut problems = Problems::default();
    problems.add_parts("parts", inner);
    problems.add("name", Problem::required());
    assert_eq!(problems.to_string(), "name: cannot be blank; parts: (code: is bad.).");
    assert_eq!(Problems::default().to_string(), "");
}
