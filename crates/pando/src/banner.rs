//! What `pando serve` prints once it answers.

use time::{OffsetDateTime, macros::format_description};

use crate::output::{bold_green, cyan, magenta};

/// As PocketBase's, so that people and scripts find the address at its usual place.
pub(crate) fn started(base_url: &str, now: OffsetDateTime) -> String {
    let clock = format_description!("[year]/[month]/[day] [hour]:[minute]:[second]");
    // Formatting a valid date into a text cannot fail; without it the line still serves.
    let now = now.format(&clock).unwrap_or_default();
    let head = bold_green(&format!("{now} Server started at "));
    format!("{head}{}\n└─ REST API:  {}\n", cyan(base_url), cyan(&format!("{base_url}/api/")))
}

/// Tells how to make the first superuser. `program` and `dir` are as the operator gave them.
pub(crate) fn first_superuser(program: &str, dir: Option<&str>) -> String {
    let dir = dir.map(|dir| format!(" --dir {}", quoted(dir))).unwrap_or_default();
    let program = quoted(program);
    let hint = format!(
        "You can create your first superuser by running: {program} superuser upsert EMAIL PASS{dir}"
    );
    format!("\n{}\n\n", magenta(&hint))
}

/// For a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use console::strip_ansi_codes;
    use expect_test::expect;
    use time::macros::datetime;

    use super::{first_superuser, started};

    #[test]
    fn looks_like_pocketbases() {
        let text = started("http://127.0.0.1:8090", datetime!(2026-03-01 09:05:07 UTC));
        expect![[r#"
            2026/03/01 09:05:07 Server started at http://127.0.0.1:8090
            └─ REST API:  http://127.0.0.1:8090/api/
        "#]]
        .assert_eq(&strip_ansi_codes(&text));
    }

    #[test]
    fn the_hint_can_be_pasted_into_a_shell() {
        let plain = first_superuser("target/release/pando", None);
        let odd = first_superuser("my pando", Some("it's data"));
        expect![[r#"

            You can create your first superuser by running: target/release/pando superuser upsert EMAIL PASS


            You can create your first superuser by running: 'my pando' superuser upsert EMAIL PASS --dir 'it'\''s data'

        "#]]
        .assert_eq(&strip_ansi_codes(&format!("{plain}{odd}")));
    }
}
