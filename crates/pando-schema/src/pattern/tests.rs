use expect_test::expect;
use proptest::prelude::*;

use super::*;

#[test]
fn go_syntax_means_what_it_means_in_go() {
    let cases = [
        (r"^\w+$", "abc_1", true),
        // ASCII only.
        (r"^\w+$", "é", false),
        (r"^\d+$", "٣", false),
        (r"^[\w-]+$", "a-b", true),
        (r"^[^\W]+$", "ab", true),
        (r"^[^\W]+$", "a-b", false),
        (r"^[\S]+$", "a b", false),
        (r"^\s$", "\u{b}", false),
        // Set operators of Rust are plain characters.
        (r"^[a&&b]+$", "&ab", true),
        (r"^[a-c--]+$", "-b", true),
        (r"^[[x]+$", "[x", true),
        (r"^[]a]+$", "]a", true),
        (r"^[[:alpha:]]+$", "abc", true),
        (r"^[[:^alpha:]]+$", "abc", false),
        (r"^\Qa.b\E+$", "a.bbb", true),
        (r"^\x41\x{42}\103$", "ABC", true),
        (r"^\pL\p{Greek}\P{L}$", "aα1", true),
        (r"^\p{lu}\p{Old Italic}\p{Thai}\P{^LC}$", "A\u{10300}กa", true),
        (r"^[\p{Cs}a]\P{Cs}$", "ab", true),
        (r"\p{Surrogate}", "a", false),
        (r"^a{,2}$", "a{,2}", true),
        (r"^a{1,2}?$", "aa", true),
        (r"^{$", "{", true),
        (r"^\<\>$", "<>", true),
        (r"(?i)^abc$", "ABC", true),
        (r"^(?P<x>a)(?<y>b)(?:c)$", "abc", true),
        (r"^(?s:.)$", "\n", true),
        (r"^.$", "\n", false),
        (r"\bé", "é", false),
        (r"^a$", "a\n", false),
        ("", "anything", true),
    ];
    for (pattern, text, matches) in cases {
        assert_eq!(pattern_matches(pattern, text), matches, "{pattern} {text:?}");
        assert!(compile_pattern(pattern).is_ok(), "{pattern}");
    }
}

#[test]
fn classes_that_go_does_not_know_are_mistakes() {
    for name in
        ["Emoji", "Uppercase", "Alphabetic", "sc=Greek", "gc:Lu", "Grek", "Zyyy", "IsGreek", "is_l"]
    {
        let class = format!(r"\p{{{name}}}");
        let wrong = compile_pattern(&format!("[a{class}]")).unwrap_err();
        assert_eq!((wrong.mistake, wrong.expression), (Mistake::CharRange, class));
    }
}

#[test]
fn mistakes_are_worded_as_in_go() {
    let patterns = [
        r"\w*((abc+",
        "a)",
        "*a",
        "(|*)",
        "a**",
        "a{2}{3}",
        "a{1001}",
        "a{3,2}",
        "[a",
        "[b-a]",
        r"\8",
        r"\C",
        r"\",
        "(?P<n",
        "(?P<a-b>x)",
        "(?x)",
        r"\pX",
        r"\p{Nope}",
        "[[:nope:]]",
        r"\x{110000}",
        "(?i",
        "(?=a)",
        "(a{500}){3}",
    ];
    let errors: Vec<String> = patterns
        .iter()
        .map(|pattern| compile_pattern(pattern).map_or_else(|e| e.to_string(), |_| String::new()))
        .collect();
    expect![[r#"
        error parsing regexp: missing closing ): `\w*((abc+`
        error parsing regexp: unexpected ): `a)`
        error parsing regexp: missing argument to repetition operator: `*`
        error parsing regexp: missing argument to repetition operator: `*`
        error parsing regexp: invalid nested repetition operator: `**`
        error parsing regexp: invalid nested repetition operator: `{2}{3}`
        error parsing regexp: invalid repeat count: `{1001}`
        error parsing regexp: invalid repeat count: `{3,2}`
        error parsing regexp: missing closing ]: `[a`
        error parsing regexp: invalid character class range: `b-a`
        error parsing regexp: invalid escape sequence: `\8`
        error parsing regexp: invalid escape sequence: `\C`
        error parsing regexp: trailing backslash at end of expression: ``
        error parsing regexp: invalid named capture: `(?P<n`
        error parsing regexp: invalid named capture: `(?P<a-b>`
        error parsing regexp: invalid or unsupported Perl syntax: `(?x`
        error parsing regexp: invalid character class range: `\pX`
        error parsing regexp: invalid character class range: `\p{Nope}`
        error parsing regexp: invalid character class range: `[:nope:]`
        error parsing regexp: invalid escape sequence: `\x{110000`
        error parsing regexp: invalid or unsupported Perl syntax: `(?i`
        error parsing regexp: invalid or unsupported Perl syntax: `(?=`
        error parsing regexp: invalid repeat count: `{3}`"#]]
    .assert_eq(&errors.join("\n"));
}

#[test]
fn the_memo_drops_what_it_cannot_keep() {
    let memo: Memo<usize> = Memo::new();
    for number in 0..KEPT_MAX + 1 {
        assert_eq!(memo.find_or(&number.to_string(), || number), number);
    }
    assert_eq!(memo.find_or(&KEPT_MAX.to_string(), || 0), KEPT_MAX);
    assert_eq!(memo.find_or("0", || 7), 7);
}

proptest! {
    #[test]
    fn any_pattern_is_survived(pattern in "[a-c0-3(){}\\[\\]*+?|^$.,:<>P\\\\pdwsSbBQE-]{0,24}") {
        if let Ok(regex) = compile_pattern(&pattern) {
            regex.is_match("abc");
        }
    }
}
