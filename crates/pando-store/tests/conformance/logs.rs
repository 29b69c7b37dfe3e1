//! Log entries: written together, found by filters, deleted by age and level.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use pando_filter::Query;
use pando_schema::Schema;
use pando_store::{LogRow, MessageEntry, RequestEntry, StoreOptions, log_table};
use serde_json::Value as Json;
use time::OffsetDateTime;

use crate::app::{App, Engine};

crate::cases! {
    entries_are_shown_with_their_parts,
    entries_are_found_by_their_parts,
    entries_are_counted_by_the_hour,
    old_ones_and_low_ones_are_deleted,
    many_are_all_written,
    data_are_cut_to_the_size_of_the_settings,
    they_are_there_after_a_restart,
}

/// 2026-12-01 05:23:43.943Z
const AT_MS: i64 = 1_796_102_623_943;
const HOUR_MS: i64 = 3_600_000;

/// Entries that are looked at at once.
const PAGE: i64 = 1_000;

fn request(at_ms: i64, url: &str) -> RequestEntry<'_> {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    RequestEntry {
        at_ms,
        took: Duration::from_micros(1_500),
        method: "GET",
        url,
        status: 200,
        referer: b"",
        user_agent: b"tests",
        auth: Some(("users", None)),
        addresses: Some((address, address)),
        failure: None,
    }
}

/// Some entries: of four requests, one of which failed, in two hours, and a warning.
async fn fill(app: &App) {
    let logs = app.store().logs();
    logs.push(&request(AT_MS, "/api/a"));
    logs.push(&request(AT_MS + 1, "/api/b?x=%C3%A9'\"\\"));
    let failure = Some(("Not found.", "{\"a\":[1,{\"b\":\"c\"}]}"));
    logs.push(&RequestEntry { status: 404, failure, ..request(AT_MS + 2, "/api/c") });
    logs.push(&RequestEntry { auth: None, ..request(AT_MS + HOUR_MS, "/api/d") });
    let data = "{\"count\":7}";
    let message = "something\nis odd";
    logs.push_message(&MessageEntry { at_ms: AT_MS + HOUR_MS + 1, level: 4, message, data });
    app.store().write_logs().await;
}

/// What `filter` finds, sorted by `sort`.
async fn find(app: &App, filter: &str, sort: &str) -> Vec<LogRow> {
    let schema = Schema::new(Vec::new());
    let mut query = query(&schema, filter);
    if !sort.is_empty() {
        query.sort(sort).unwrap();
    }
    let mut reader = app.store().read_logs().await.unwrap();
    query.speak(reader.dialect());
    let rows = reader.page(&query, PAGE, 0).await.unwrap();
    let count = reader.count(&query).await.unwrap();
    assert_eq!(count.min(PAGE), i64::try_from(rows.len()).unwrap());
    rows
}

fn query<'a>(schema: &'a Schema, filter: &str) -> Query<'a> {
    let mut query = Query::new(schema, log_table(), None, OffsetDateTime::UNIX_EPOCH).unwrap();
    if !filter.is_empty() {
        query.filter(&pando_filter::parse(filter).unwrap()).unwrap();
    }
    query
}

/// The messages, the method left out.
async fn messages(app: &App, filter: &str, sort: &str) -> Vec<String> {
    let rows = find(app, filter, sort).await;
    rows.into_iter().map(|row| row.message.replace("GET ", "")).collect()
}

async fn entries_are_shown_with_their_parts(app: &mut App) {
    fill(app).await;
    let rows = find(app, "", "@rowid").await;
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[1].message, "GET /api/b?x=é'\"\\");
    assert_eq!((rows[2].level, rows[2].created.as_str()), (8, "2026-12-01 05:23:43.945Z"));
    let data: Json = serde_json::from_str(&rows[2].data).unwrap();
    assert_eq!(data["details"]["a"][1]["b"], "c");
    assert_eq!(data["execTime"], 1.5);
    let server = (app.engine == Engine::Postgres).then(|| &**app.store().server_id());
    assert_eq!(data["server"].as_str(), server);
    assert_eq!((rows[4].level, rows[4].data.as_str()), (4, "{\"count\":7}"));
    let mut reader = app.store().read_logs().await.unwrap();
    assert_eq!(reader.find(&rows[2].id).await.unwrap().as_ref(), Some(&rows[2]));
    assert_eq!(reader.find("nothing").await.unwrap(), None);
}

async fn entries_are_found_by_their_parts(app: &mut App) {
    fill(app).await;
    for (filter, found) in [
        ("level > 0", &["/api/c", "something\nis odd"][..]),
        ("level = 0 && data.auth = 'users'", &["/api/a", "/api/b?x=é'\"\\"]),
        ("message ~ 'API/'", &["/api/a", "/api/b?x=é'\"\\", "/api/c", "/api/d"]),
        ("data.status = 404", &["/api/c"]),
        ("data.status >= 300 || data.count < 10", &["/api/c", "something\nis odd"]),
        ("data.details.a.1.b = 'c'", &["/api/c"]),
        ("data.nothing != null", &[]),
        // What is not there is not empty either.
        ("data.auth = ''", &["/api/d"]),
        ("created >= '2026-12-01 06:00:00.000Z'", &["/api/d", "something\nis odd"]),
        ("data ~ 'count'", &["something\nis odd"]),
    ] {
        assert_eq!(messages(app, filter, "@rowid").await, found, "{filter}");
    }
    assert_eq!(messages(app, "level != 0", "-@rowid").await, ["something\nis odd", "/api/c"]);
    let sorted = messages(app, "data.type = 'request'", "-data.status,-created").await;
    assert_eq!(sorted, ["/api/c", "/api/d", "/api/b?x=é'\"\\", "/api/a"]);
}

async fn entries_are_counted_by_the_hour(app: &mut App) {
    fill(app).await;
    let schema = Schema::new(Vec::new());
    let hours = async |filter| {
        let mut query = query(&schema, filter);
        let mut reader = app.store().read_logs().await.unwrap();
        query.speak(reader.dialect());
        reader.hours(&query).await.unwrap()
    };
    let hour = |hour: &str, count| (format!("2026-12-01 {hour}:00:00"), count);
    assert_eq!(hours("").await, [hour("05", 3), hour("06", 2)]);
    assert_eq!(hours("level = 8").await, [hour("05", 1)]);
    assert_eq!(hours("level = 99").await, []);
}

async fn old_ones_and_low_ones_are_deleted(app: &mut App) {
    fill(app).await;
    let store = app.store();
    store.delete_logs("2026-12-01 05:23:43.943Z", None).await.unwrap();
    let left = ["/api/b?x=é'\"\\", "/api/c", "/api/d", "something\nis odd"];
    assert_eq!(messages(app, "", "@rowid").await, left);
    store.delete_logs("2026-12-01 05:00:00.000Z", Some(8)).await.unwrap();
    assert_eq!(messages(app, "", "").await, ["/api/c"]);
    // What still waits is deleted, too.
    store.logs().push(&request(AT_MS, "/api/e"));
    store.truncate_logs().await.unwrap();
    assert_eq!(messages(app, "", "").await, [""; 0]);
    fill(app).await;
    assert_eq!(messages(app, "", "").await.len(), 5);
}

async fn many_are_all_written(app: &mut App) {
    let store = app.store();
    // Several batches one after the other are more than the pace lets through at once.
    for batch in 0..4 {
        for number in 0..2_500 {
            let url = format!("/{batch}/{number:04}");
            store.logs().push(&request(AT_MS + batch * 1_000 + number / 10, &url));
        }
        store.write_logs().await;
    }
    let rows = find(app, "", "@rowid").await;
    assert_eq!(rows.len(), 1_000);
    let schema = Schema::new(Vec::new());
    let mut query = query(&schema, "");
    let mut reader = store.read_logs().await.unwrap();
    query.speak(reader.dialect());
    assert_eq!(reader.count(&query).await.unwrap(), 10_000);
    let urls = rows.iter().map(|row| row.message.as_str());
    let first = (0..1_000).map(|number| format!("GET /0/{number:04}"));
    assert!(urls.eq(first), "not in the order in which they came");
    assert_eq!(store.logs().counts(), (10_000, 0));
}

async fn data_are_cut_to_the_size_of_the_settings(app: &mut App) {
    let save = app.store().write(|tx| {
        Box::pin(async move {
            let mut settings = tx.settings().as_ref().clone();
            settings.logs.max_data_size = 20;
            tx.save_settings(settings, None).await
        })
    });
    let saved: Result<_, pando_store::StoreError> = save.await;
    saved.unwrap();
    fill(app).await;
    let rows = find(app, "data.__pb_truncated__ = true", "@rowid").await;
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0].data, "{\"__pb_truncated__\":true,\"auth\":\"users\"}");
}

async fn they_are_there_after_a_restart(app: &mut App) {
    fill(app).await;
    app.store().logs().push(&request(AT_MS + 2 * HOUR_MS, "/api/last"));
    app.reopen(|_: &mut StoreOptions| {}).await.unwrap();
    assert_eq!(messages(app, "", "@rowid").await.pop().unwrap(), "/api/last");
}
