//! Brings the common data set into a database on PostgreSQL: Pando makes the collections there, and
//! the rows that PocketBase wrote are copied as they are, times, names of files and hashes included.
//!
//! *Source*: `pando-store` for what the tables hold beside the fields: `_b` and `_n`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{PASSWORD, ROOT_EMAIL};
use crate::http::Request;
use crate::postgres::Postgres;
use crate::root::RootClient;
use crate::server::{Program, Server};

/// Prints each table as JSON: name, columns, rows. Numbers become text that loses nothing.
const DUMP: &str = "import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
text = lambda value: value if value is None or isinstance(value, str) else repr(value)
for table in sys.argv[2:]:
    rows = db.execute(f'SELECT rowid AS _n, * FROM \"{table}\" ORDER BY rowid')
    names = [column[0] for column in rows.description]
    print(json.dumps([table, names, [[text(value) for value in row] for row in rows]]))";

/// Gives log entries ids that are in the order of the entries, as they are in PostgreSQL: filters and
/// sorts by `id` then mean the same on both sides.
const ORDER_LOGS: &str = "import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
letters = str.maketrans('0123456789', 'abcdefghij')
for (n,) in db.execute('SELECT rowid FROM _logs').fetchall():
    id = '1' + str(n).zfill(14).translate(letters)
    db.execute('UPDATE _logs SET id = ? WHERE rowid = ?', (id, n))
db.commit()";

/// Moves the records of the data directory `dir` into `database`, which is empty. `program` is set
/// up to use it; the files stay where they are.
pub(super) fn transfer(
    program: &Program,
    dir: &Path,
    collections: &[Value],
    (server, database): (&Postgres, &str),
) -> Result<()> {
    let tables: Vec<&str> = collections
        .iter()
        .filter(|collection| collection["type"] != "view")
        .filter_map(|collection| collection["name"].as_str())
        .collect();
    let mut script = String::new();
    for table in dump(&dir.join("data.db"), &tables)? {
        write_table(&mut script, &table)?;
    }
    for table in dump(&dir.join("data.db"), &["_collections"])? {
        write_places(&mut script, &table)?;
    }
    for table in dump(&dir.join("auxiliary.db"), &["_logs"])? {
        write_logs(&mut script, &table)?;
    }
    // So that a server that reads the wrong place finds nothing there.
    for name in ["data.db", "auxiliary.db"] {
        fs::remove_file(dir.join(name)).with_context(|| format!("no {name}"))?;
    }
    make_collections(program, dir, collections)?;
    server.script(database, &script).context("failed to copy the rows")
}

/// Lets Pando make the tables.
fn make_collections(program: &Program, dir: &Path, collections: &[Value]) -> Result<()> {
    program.upsert_superuser(dir, ROOT_EMAIL, PASSWORD)?;
    let mut server = Server::launch(program, dir)?;
    let mut root = RootClient::login(&server, ROOT_EMAIL, PASSWORD)?;
    let import = json!({ "collections": collections, "deleteMissing": true });
    root.json(Request::new("PUT", "/api/collections/import").json(&import))?;
    root.json(Request::patch("/api/settings").json(&super::settings()))?;
    server.stop()
}

fn dump(database: &Path, tables: &[&str]) -> Result<Vec<Value>> {
    let output = python(DUMP, database, tables)?;
    let lines = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Ok(serde_json::from_slice(line)?)).collect()
}

/// See [`ORDER_LOGS`]; `dir` is a data directory.
pub(super) fn order_logs(dir: &Path) -> Result<()> {
    python(ORDER_LOGS, &dir.join("auxiliary.db"), &[]).map(drop)
}

/// What a script says of a SQLite database.
fn python(script: &str, database: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let mut python = Command::new("python3");
    let output = python.args(["-c", script]).arg(database).args(arguments).output();
    let output = output.context("failed to run python3\nhint: apt-get install python3")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "python3 failed on {}: {errors}", database.display());
    Ok(output.stdout)
}

/// Replaces the rows of a table.
fn write_table(script: &mut String, table: &Value) -> Result<()> {
    let (name, columns, rows) = parts(table)?;
    let id = columns.iter().position(|column| *column == "id").context("no ids")?;
    let quoted: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    writeln!(script, "TRUNCATE \"{name}\";")?;
    writeln!(script, "COPY \"{name}\" (\"_b\", {}) FROM STDIN;", quoted.join(", "))?;
    for row in rows {
        let row = row.as_array().context("bad row")?;
        write!(script, "{}", pando_filter::bucket(row[id].as_str().context("bad id")?))?;
        for value in row {
            script.push('\t');
            push_copied(script, value.as_str());
        }
        script.push('\n');
    }
    writeln!(script, "\\.")?;
    let sequence = format!("pg_get_serial_sequence('\"{name}\"', '_n')");
    writeln!(script, "SELECT setval({sequence}, max(\"_n\")) FROM \"{name}\";")?;
    Ok(())
}

/// Adds log entries.
fn write_logs(script: &mut String, table: &Value) -> Result<()> {
    const COLUMNS: [&str; 5] = ["id", "created", "level", "message", "data"];
    let (_, columns, rows) = parts(table)?;
    writeln!(script, "COPY pando.logs ({}) FROM STDIN;", COLUMNS.join(", "))?;
    let place = |name| columns.iter().position(|column| *column == name).context("no such column");
    let places = COLUMNS.into_iter().map(place).collect::<Result<Vec<usize>>>()?;
    for row in rows {
        for (index, place) in places.iter().enumerate() {
            script.push_str(if index == 0 { "" } else { "\t" });
            push_copied(script, row[place].as_str());
        }
        script.push('\n');
    }
    writeln!(script, "\\.")?;
    Ok(())
}

/// Gives the collections the places and times that they have on the other side.
fn write_places(script: &mut String, table: &Value) -> Result<()> {
    let (_, columns, rows) = parts(table)?;
    let value = |row: &Value, name: &str| -> Result<String> {
        let index = columns.iter().position(|column| *column == name);
        let value = row[index.context("no such column")?].as_str().context("no value")?;
        Ok(value.replace('\'', "''"))
    };
    for row in rows {
        writeln!(
            script,
            "UPDATE \"_collections\" SET \"_n\" = {}, \"created\" = '{}', \"updated\" = '{}' \
             WHERE \"id\" = '{}';",
            value(row, "_n")?,
            value(row, "created")?,
            value(row, "updated")?,
            value(row, "id")?
        )?;
    }
    Ok(())
}

fn parts(table: &Value) -> Result<(&str, Vec<&str>, &Vec<Value>)> {
    let name = table[0].as_str().context("table without name")?;
    let columns = table[1].as_array().context("table without columns")?;
    let columns = columns.iter().filter_map(Value::as_str).collect();
    Ok((name, columns, table[2].as_array().context("table without rows")?))
}

/// A value in the text format of COPY.
fn push_copied(script: &mut String, value: Option<&str>) {
    let Some(value) = value else { return script.push_str("\\N") };
    for character in value.chars() {
        match character {
            '\\' => script.push_str("\\\\"),
            '\n' => script.push_str("\\n"),
            '\r' => script.push_str("\\r"),
            '\t' => script.push_str("\\t"),
            other => script.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{push_copied, write_table};

    #[test]
    fn rows_are_written_as_copy_reads_them() {
        let mut text = String::new();
        push_copied(&mut text, Some("a\tb\\n\r\nc"));
        push_copied(&mut text, None);
        assert_eq!(text, "a\\tb\\\\n\\r\\nc\\N");
        let mut script = String::new();
        write_table(&mut script, &json!(["t", ["_n", "id"], [["1", "abc"]]])).unwrap();
        assert!(script.starts_with(
            "TRUNCATE \"t\";\nCOPY \"t\" (\"_b\", \"_n\", \"id\") FROM STDIN;\n2457\t1\tabc\n\\.\n"
        ));
    }
}
