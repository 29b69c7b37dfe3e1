//! What is there in the end, once streams have heard of everything.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pando_history::{Counter, History, Key, LastState, Read, Seen, SessionId, Version};
use serde_json::Value;

use super::NAP;
use super::caller::Caller;
use super::session::{Row, rows};
use super::setup::{COUNTERS, RECORDS, login_root};
use super::shared::Shared;
use super::subscriber::Subscriber;
use crate::http::{HttpClient, Request};
use crate::rng::Rng;

/// How long streams may take to hear of what was written, and servers to come back.
const SETTLE_WITHIN: Duration = Duration::from_secs(20);

const PAGE_SIZE: usize = 500;

/// Sessions that read the last state at the servers after the first.
const FIRST_READER: u32 = 2_000_000;

/// Reads the last state into the history: when all streams show it, or after a while as it is. If no
/// server answers, the history ends without.
pub(super) fn settle(shared: &Shared, subscribers: &[Subscriber], history: &mut History) {
    let begun = Instant::now();
    let mut token = shared.ground.root_token.clone();
    loop {
        let states =
            shared.options.servers.iter().map(|server| read_state(shared, *server, &mut token));
        let states: Vec<LastState> = states.filter_map(Result::ok).collect();
        let settled = states.first().is_some_and(|first| {
            let records: BTreeMap<Key, Version> = first.records.iter().copied().collect();
            subscribers.iter().all(|subscriber| subscriber.shows(&records))
        });
        if settled || begun.elapsed() >= SETTLE_WITHIN {
            let mut states = states.into_iter();
            history.last = states.next();
            for (session, state) in (FIRST_READER..).zip(states) {
                history.reads.extend(reads(shared, SessionId(session), &state));
            }
            return;
        }
        thread::sleep(NAP);
    }
}

/// What another server shows must be the same.
fn reads(shared: &Shared, session: SessionId, state: &LastState) -> Vec<Read> {
    let read = |seen| Read { session, begin: state.begin, end: state.end, seen };
    let owners = 0..u32::try_from(shared.options.clients).unwrap_or(u32::MAX);
    let of_owner = |owner: u32| {
        let found = state.records.iter().filter(|(key, _)| key.owner == owner);
        read(Seen::Records(owner, found.copied().collect()))
    };
    let counters =
        state.counters.iter().map(|(counter, value)| read(Seen::Counter(*counter, *value)));
    owners.map(of_owner).chain(counters).collect()
}

fn read_state(shared: &Shared, server: SocketAddr, token: &mut String) -> Result<LastState> {
    let mut client = HttpClient::new(server).with_timeout(shared.options.deadline);
    // A guest would be shown empty lists, and everything would look lost.
    let known = Request::get(format!("/api/collections/{RECORDS}")).token(token);
    if client.send(&known)?.success().is_err() {
        let login = login_root(&shared.options, server).context("no login as superuser")?;
        *token = login.1;
    }
    let mut send = |request: Request| client.send(&request.token(token))?.success()?.json();
    let begin = shared.now();
    let records = all_pages(RECORDS, &mut send)?;
    let counters = all_pages(COUNTERS, &mut send)?;
    let end = shared.now();
    let rows: Option<Vec<Row>> = records.iter().map(Row::read).collect();
    let counter = |record: &Value| {
        let number = u32::try_from(record["number"].as_u64()?).ok()?;
        Some((Counter(number), record["n"].as_u64()?))
    };
    let counters: Option<Vec<(Counter, u64)>> = counters.iter().map(counter).collect();
    Ok(LastState {
        begin,
        end,
        records: rows
            .context("a record without key")?
            .iter()
            .map(|row| (row.key, row.version))
            .collect(),
        counters: counters.context("a counter without number")?,
    })
}

/// All records, as a client reads them.
pub(super) fn fetch_records(
    caller: &mut Caller<'_>,
    token: &str,
    rng: &mut Rng,
) -> Result<Vec<Row>> {
    let items = all_pages(RECORDS, |request| {
        caller.read(&request.token(token), &[], rng).ok_json().context("no answer")
    })?;
    rows(&serde_json::json!({ "items": items })).context("a record without key")
}

/// Reads on from the last id instead of counting pages, which shift while records come and go.
fn all_pages(
    collection: &str,
    mut send: impl FnMut(Request) -> Result<Value>,
) -> Result<Vec<Value>> {
    let mut found: Vec<Value> = Vec::new();
    loop {
        let after = found.last().and_then(|record| record["id"].as_str()).unwrap_or_default();
        let target = format!(
            "/api/collections/{collection}/records?perPage={PAGE_SIZE}&sort=id&skipTotal=1\
             &filter=id%3E%22{after}%22"
        );
        let page = send(Request::get(target))?;
        let items = page["items"].as_array().context("a list without items")?;
        ensure!(items.len() <= PAGE_SIZE, "a page of {} records", items.len());
        found.extend(items.iter().cloned());
        if items.len() < PAGE_SIZE {
            return Ok(found);
        }
    }
}
