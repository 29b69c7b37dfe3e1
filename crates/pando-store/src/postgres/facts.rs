//! Whether a server will do: what it tells about itself, the database and the user.

use pando_filter::{Dialect, Sql};
use pando_schema::SqlValue;

use crate::{Conn, StoreError};

/// The oldest server that will do: 15.0.
const VERSION_MIN: i64 = 150_000;

const FACTS: &str = "SELECT current_setting('server_version_num')::int8, \
                     current_setting('server_encoding'), current_setting('server_version'), \
                     has_database_privilege(current_database(), 'CREATE'), \
                     has_schema_privilege(current_schema(), 'CREATE'), current_user::text, \
                     current_setting('transaction_read_only'), current_schema()::text, \
                     to_regclass('pando.state')::text";

/// Fails with `Unsuitable`, and what to do about it.
pub(super) async fn check(conn: &mut Conn) -> Result<(), StoreError> {
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push(FACTS);
    let facts = conn.rows(&sql).await?.pop().unwrap_or_default();
    judge(&facts).map_err(StoreError::Unsuitable)
}

/// Judges a row of [`FACTS`].
fn judge(facts: &[SqlValue]) -> Result<(), String> {
    let [
        SqlValue::Int(number),
        SqlValue::Text(encoding),
        SqlValue::Text(version),
        create_schema,
        create_table,
        SqlValue::Text(user),
        SqlValue::Text(read_only),
        schema,
        state,
    ] = facts
    else {
        return Err("the server tells nothing about itself".to_owned());
    };
    if *number < VERSION_MIN {
        return Err(too_old(&format!("the server is PostgreSQL {version}")));
    }
    if encoding != "UTF8" {
        return Err(format!(
            "the database is encoded in {encoding}\nhint: make one by \
             CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        ));
    }
    if read_only == "on" {
        return Err("the server only reads\nhint: give the URL of the primary; or is \
                    default_transaction_read_only on?"
            .to_owned());
    }
    if *schema == SqlValue::Null {
        return Err("there is no schema to make tables in (search_path)".to_owned());
    }
    let new = *state == SqlValue::Null;
    if *create_table != SqlValue::Int(1) || new && *create_schema != SqlValue::Int(1) {
        return Err(format!(
            "the user {user} may not make tables there\nhint: GRANT CREATE ON DATABASE … TO \
             \"{user}\"; GRANT CREATE ON SCHEMA public TO \"{user}\""
        ));
    }
    Ok(())
}

/// What a server lacks, as an old one does.
pub(super) fn too_old(what: &str) -> String {
    format!("{what}\nhint: Pando needs PostgreSQL 15 or later")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// What is said of a server that differs in one fact from one that will do.
    #[track_caller]
    fn check(index: usize, fact: SqlValue, expect: Expect) {
        let text = |text: &str| SqlValue::Text(text.to_owned());
        let mut facts = [
            SqlValue::Int(150_004),
            text("UTF8"),
            text("15.4 (Debian)"),
            SqlValue::Int(1),
            SqlValue::Int(1),
            text("me"),
            text("off"),
            text("public"),
            SqlValue::Null,
        ];
        assert_eq!(judge(&facts), Ok(()));
        facts[index] = fact;
        expect.assert_eq(&judge(&facts).map_or_else(|words| words, |()| "will do".to_owned()));
    }

    #[test]
    fn old_servers_are_told_what_is_needed() {
        check(
            0,
            SqlValue::Int(149_999),
            expect![[r#"
            the server is PostgreSQL 15.4 (Debian)
            hint: Pando needs PostgreSQL 15 or later"#]],
        );
        check(0, SqlValue::Int(170_000), expect!["will do"]);
        check(0, SqlValue::Null, expect!["the server tells nothing about itself"]);
    }

    #[test]
    fn rights_to_make_a_schema_are_needed_only_for_a_new_database() {
        check(
            3,
            SqlValue::Int(0),
            expect![[r#"
            the user me may not make tables there
            hint: GRANT CREATE ON DATABASE … TO "me"; GRANT CREATE ON SCHEMA public TO "me""#]],
        );
        check(
            4,
            SqlValue::Int(0),
            expect![[r#"
            the user me may not make tables there
            hint: GRANT CREATE ON DATABASE … TO "me"; GRANT CREATE ON SCHEMA public TO "me""#]],
        );
        let there = SqlValue::Text("pando.state".to_owned());
        check(8, there, expect!["will do"]);
        check(7, SqlValue::Null, expect!["there is no schema to make tables in (search_path)"]);
    }
}
