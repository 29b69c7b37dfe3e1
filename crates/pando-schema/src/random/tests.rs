use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use crate::compile_pattern;

#[test]
fn generated_texts_match_their_pattern() {
    let mut rng = StdRng::seed_from_u64(1);
    let patterns = [
        "test",
        r"\d+",
        r"\d*",
        r"\d{1,20}",
        r"\d{5}",
        r"\d{0,}-abc",
        "[a-zA-Z_]*",
        "[^a-zA-Z]{5,30}",
        r"\w+_abc",
        r"[2-9]{10}-\w+",
        "(a|b|c)",
        "(?i)abc",
        "a.c",
        "[a-z0-9]{15}",
    ];
    for pattern in patterns {
        let whole = compile_pattern(&format!("^(?s:{pattern})$")).unwrap();
        for _ in 0..50 {
            let text = random_by_pattern(pattern, &mut rng).unwrap();
            assert!(whole.is_match(&text), "{pattern}: {text:?}");
        }
    }
}

#[test]
fn what_stands_for_no_text_is_refused() {
    let mut rng = StdRng::seed_from_u64(1);
    let mut error = |pattern| random_by_pattern(pattern, &mut rng).map_err(|e| e.to_string());
    assert_eq!(error(""), Err("unsupported pattern operator 2".to_owned()));
    assert_eq!(error("^a"), Err("unsupported pattern operator 9".to_owned()));
    assert_eq!(error("a$"), Err("unsupported pattern operator 10".to_owned()));
    assert_eq!(error(r"\ba"), Err("unsupported pattern operator 11".to_owned()));
    assert_eq!(error("("), Err("error parsing regexp: missing closing ): `(`".to_owned()));
}

#[test]
fn nested_repetitions_stay_bounded() {
    let mut rng = StdRng::seed_from_u64(1);
    let pattern = format!("{}a{}", "(".repeat(40), "+)".repeat(40));
    let text = random_by_pattern(&pattern, &mut rng).unwrap();
    assert!(text.len() > 100 && text.len() <= GENERATED_CHARS_MAX + 100);
}

#[test]
fn texts_have_length_and_alphabet() {
    let mut rng = StdRng::seed_from_u64(1);
    let id = random_id(&mut rng, 15);
    assert!(id.len() == 15 && id.bytes().all(|b| LOWER_ALPHANUMERIC.as_bytes().contains(&b)));
    let key = random_text(&mut rng, 50);
    assert!(key.len() == 50 && key.bytes().all(|b| b.is_ascii_alphanumeric()));
    assert_eq!(random_text(&mut rng, 0), "");
}

proptest! {
    #[test]
    fn any_pattern_is_survived(pattern in "[a-c0-3(){}\\[\\]*+?|^$.,-]{0,16}", seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        if let Ok(text) = random_by_pattern(&pattern, &mut rng) {
            let regex = compile_pattern(&pattern).expect("it was generated from");
            prop_assert!(regex.is_match(&text));
        }
    }
}
