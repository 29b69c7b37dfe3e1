use std::sync::mpsc;

use tokio::runtime::Handle;

use pando_filter::Dialect;

use super::*;
use crate::sqlite::{Access, connect};

const LONG: Duration = Duration::from_secs(60);

/// Counts up to the number that comes next.
const COUNTING: &str =
    "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ";

const COUNTED: &str = ") SELECT count(*) FROM numbers";

fn counting_to(last: i64) -> Sql {
    let mut sql = Sql::new(Dialect::Sqlite);
    sql.push(COUNTING).bind(last).push(COUNTED);
    sql
}

fn count(connection: &mut Connection, last: i64) -> Result<Option<SqlValue>, StoreError> {
    Ok(connection.rows(&counting_to(last))?.pop().and_then(|mut row| row.pop()))
}

fn connection(timeout: Duration) -> (Connection, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let db = connect(&dir.path().join("data.db"), Access::ReadWrite).unwrap();
    let mut conn = Connection::new(db, timeout);
    conn.watch().unwrap();
    (conn, dir)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// With one thread for all tasks, another task runs while a query does.
#[test]
fn a_slow_query_keeps_nobody_waiting() {
    let (mut conn, _dir) = connection(LONG);
    let (told, seen) = mpsc::channel();
    let runtime = runtime();
    let (also_told, last) = (told.clone(), 3_000_000);
    let slow = runtime.spawn(async move {
        // The other task is begun by this one, so it waits for this thread first.
        Handle::current().spawn(async move { also_told.send("other").unwrap() });
        let counted = count(&mut conn, last).unwrap();
        told.send("slow").unwrap();
        counted
    });
    assert_eq!(runtime.block_on(slow).unwrap(), Some(SqlValue::Int(last)));
    assert_eq!(seen.iter().collect::<Vec<_>>(), ["other", "slow"]);
}

#[test]
fn a_fast_query_stays_where_it_is() {
    let (mut conn, _dir) = connection(LONG);
    let outcome = runtime().block_on(async move {
        let task = Handle::current().spawn(async move {
            let here = std::thread::current().id();
            let counted = count(&mut conn, 10).unwrap();
            (counted, here == std::thread::current().id(), conn.hurried)
        });
        task.await
    });
    assert_eq!(outcome.unwrap(), (Some(SqlValue::Int(10)), true, false));
}

#[test]
fn a_query_has_an_end_on_every_thread() {
    for threads in ["none", "one", "many"] {
        let (mut conn, _dir) = connection(Duration::from_millis(20));
        let query = async { count(&mut conn, i64::MAX) };
        let outcome = match threads {
            "none" => {
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                match std::pin::pin!(query).poll(&mut context) {
                    std::task::Poll::Ready(outcome) => outcome,
                    std::task::Poll::Pending => panic!("SQLite answers at once"),
                }
            }
            "one" => {
                let builder = &mut tokio::runtime::Builder::new_current_thread();
                builder.build().unwrap().block_on(query)
            }
            _ => runtime().block_on(query),
        };
        assert!(matches!(outcome, Err(StoreError::Timeout)), "{threads}: {outcome:?}");
    }
}

/// A slow statement need not begin twice, and one that was slow by chance is fast again.
#[test]
fn a_connection_remembers_which_statements_are_slow() {
    let (mut conn, _dir) = connection(LONG);
    runtime().block_on(async {
        count(&mut conn, 3_000_000).unwrap();
        let text = counting_to(0).text;
        assert!(conn.slow.contains(&text));
        let deadline = Instant::now() + LONG;
        while conn.slow.contains(&text) {
            assert!(Instant::now() < deadline, "counting to 1 is slow all the time");
            count(&mut conn, 1).unwrap();
        }
    });
}
