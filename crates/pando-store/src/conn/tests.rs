use std::sync::mpsc;

use tokio::runtime::Handle;

use super::*;
use crate::sqlite::{Access, connect};

const LONG: Duration = Duration::from_secs(60);

/// Counts up to `?`.
const COUNTING: &str = "WITH RECURSIVE numbers (n) AS \
    (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) SELECT count(*) FROM numbers";

fn connection(timeout: Duration) -> (Conn, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let db = connect(&dir.path().join("data.db"), Access::ReadWrite).unwrap();
    let mut conn = Conn::new(db, timeout);
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
    let (also_told, count) = (told.clone(), 3_000_000);
    let slow = runtime.spawn(async move {
        // The other task is begun by this one, so it waits for this thread first.
        Handle::current().spawn(async move { also_told.send("other").unwrap() });
        let counted = conn.integer(COUNTING, &[SqlValue::Int(count)]).await.unwrap();
        told.send("slow").unwrap();
        counted
    });
    assert_eq!(runtime.block_on(slow).unwrap(), Some(count));
    assert_eq!(seen.iter().collect::<Vec<_>>(), ["other", "slow"]);
}

#[test]
fn a_fast_query_stays_where_it_is() {
    let (mut conn, _dir) = connection(LONG);
    let outcome = runtime().block_on(async move {
        let task = Handle::current().spawn(async move {
            let here = std::thread::current().id();
            let counted = conn.integer(COUNTING, &[SqlValue::Int(10)]).await.unwrap();
            (counted, here == std::thread::current().id(), conn.hurried)
        });
        task.await
    });
    assert_eq!(outcome.unwrap(), (Some(10), true, false));
}

#[test]
fn a_query_has_an_end_on_every_thread() {
    let forever = [SqlValue::Int(i64::MAX)];
    for threads in ["none", "one", "many"] {
        let (mut conn, _dir) = connection(Duration::from_millis(20));
        let query = async { conn.integer(COUNTING, &forever).await };
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
        conn.integer(COUNTING, &[SqlValue::Int(3_000_000)]).await.unwrap();
        assert!(conn.slow.contains(COUNTING));
        let deadline = Instant::now() + LONG;
        while conn.slow.contains(COUNTING) {
            assert!(Instant::now() < deadline, "counting to 1 is slow all the time");
            conn.integer(COUNTING, &[SqlValue::Int(1)]).await.unwrap();
        }
    });
}
