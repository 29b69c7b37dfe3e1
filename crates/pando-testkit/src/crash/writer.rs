//! One client that writes and remembers what the server acknowledged.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::json;

use super::ledger_record;
use crate::http::{HttpClient, Request};
use crate::rng::Rng;

const RECORDS: &str = "/api/collections/ledger/records";
const BATCH_SIZE: usize = 4;
const ANSWER_DEADLINE: Duration = Duration::from_secs(20);

/// A change of records: the version each shall have; `None` deletes it.
type Change = BTreeMap<String, Option<i64>>;

#[derive(Debug)]
pub(super) struct Writer {
    number: usize,
    rng: Rng,
    created_count: usize,
    /// What must be there.
    records: BTreeMap<String, i64>,
    /// Sent, but not answered when the server was killed.
    pending: Option<Change>,
}

impl Writer {
    pub(super) fn new(number: usize, rng: Rng) -> Self {
        Self { number, rng, created_count: 0, records: BTreeMap::new(), pending: None }
    }

    pub(super) fn record_count(&self) -> usize {
        self.records.len()
    }

    /// Writes until the connection breaks; any answer but success is a failure.
    pub(super) fn write_until_cut(
        &mut self,
        addr: SocketAddr,
        acknowledged: &AtomicUsize,
    ) -> Result<()> {
        let mut client = HttpClient::new(addr).with_timeout(ANSWER_DEADLINE);
        loop {
            let (request, change) = self.next_write();
            self.pending = Some(change);
            let Ok(response) = client.send(&request) else { return Ok(()) };
            if !(200..300).contains(&response.status) {
                let (status, text) = (response.status, response.text());
                bail!("{} {} answered {status}: {text}", request.method, request.target);
            }
            for (id, version) in self.pending.take().into_iter().flatten() {
                match version {
                    Some(version) => self.records.insert(id, version),
                    None => self.records.remove(&id),
                };
            }
            acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Compares with what is there after the restart: whether the unanswered write was done.
    pub(super) fn settle(&mut self, found: &BTreeMap<String, i64>) -> Result<Option<bool>> {
        let pending = self.pending.take().unwrap_or_default();
        for (id, version) in self.records.iter().filter(|(id, _)| !pending.contains_key(*id)) {
            ensure!(
                found.get(id) == Some(version),
                "lost: {id} was acknowledged as version {version}, found {:?}",
                found.get(id)
            );
        }
        let mut outcomes = Vec::new();
        for (id, wanted) in &pending {
            let (before, now) = (self.records.get(id).copied(), found.get(id).copied());
            ensure!(now == before || now == *wanted, "{id} is {now:?}, neither old nor new");
            outcomes.push(now == *wanted);
            match now {
                Some(version) => self.records.insert(id.clone(), version),
                None => self.records.remove(id),
            };
        }
        ensure!(outcomes.windows(2).all(|pair| pair[0] == pair[1]), "half a batch: {pending:?}");
        Ok(outcomes.first().copied())
    }

    fn next_write(&mut self) -> (Request, Change) {
        let choice = if self.records.is_empty() { 0 } else { self.rng.below(100) };
        match choice {
            0..40 => {
                let id = self.new_id();
                let body = ledger_record(&id, 1);
                (Request::post(RECORDS).json(&body), Change::from([(id, Some(1))]))
            }
            40..75 => {
                let (id, version) = self.own_record();
                let body = ledger_record(&id, version + 1);
                let request = Request::patch(format!("{RECORDS}/{id}")).json(&body);
                (request, Change::from([(id, Some(version + 1))]))
            }
            75..85 => {
                let (id, _) = self.own_record();
                (Request::delete(format!("{RECORDS}/{id}")), Change::from([(id, None)]))
            }
            _ => self.batch(),
        }
    }

    fn batch(&mut self) -> (Request, Change) {
        let ids: Vec<String> = (0..BATCH_SIZE).map(|_| self.new_id()).collect();
        let requests: Vec<_> = ids
            .iter()
            .map(|id| json!({ "method": "POST", "url": RECORDS, "body": ledger_record(id, 1) }))
            .collect();
        let request = Request::post("/api/batch").json(&json!({ "requests": requests }));
        (request, ids.into_iter().map(|id| (id, Some(1))).collect())
    }

    fn new_id(&mut self) -> String {
        self.created_count += 1;
        format!("w{:02}x{:011}", self.number, self.created_count)
    }

    fn own_record(&mut self) -> (String, i64) {
        let index = self.rng.below(self.records.len());
        let (id, version) = self.records.iter().nth(index).expect("the index is below the length");
        (id.clone(), *version)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Change, Writer};
    use crate::rng::Rng;

    fn settle(records: &[(&str, i64)], pending: Option<Change>, found: &[(&str, i64)]) -> String {
        let own = |pairs: &[(&str, i64)]| -> BTreeMap<String, i64> {
            pairs.iter().map(|(id, version)| ((*id).to_owned(), *version)).collect()
        };
        let mut writer = Writer::new(1, Rng::new(1));
        writer.records = own(records);
        writer.pending = pending;
        match writer.settle(&own(found)) {
            Ok(done) => format!("{done:?}, then {:?}", writer.records),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn finds_what_was_lost() {
        let batch = || Some(Change::from([("c".to_owned(), Some(1)), ("d".to_owned(), Some(1))]));
        let update = || Some(Change::from([("a".to_owned(), Some(2))]));
        let lines = [
            settle(&[("a", 1)], None, &[("a", 1)]),
            settle(&[("a", 1)], None, &[]),
            settle(&[("a", 2)], None, &[("a", 1)]),
            settle(&[("a", 1)], update(), &[("a", 2)]),
            settle(&[("a", 1)], update(), &[("a", 1)]),
            settle(&[("a", 1)], update(), &[]),
            settle(&[], batch(), &[("c", 1), ("d", 1)]),
            settle(&[], batch(), &[]),
            settle(&[], batch(), &[("c", 1)]),
        ];
        expect_test::expect![[r#"
            None, then {"a": 1}
            lost: a was acknowledged as version 1, found None
            lost: a was acknowledged as version 2, found Some(1)
            Some(true), then {"a": 2}
            Some(false), then {"a": 1}
            a is None, neither old nor new
            Some(true), then {"c": 1, "d": 1}
            Some(false), then {}
            half a batch: {"c": Some(1), "d": Some(1)}"#]]
        .assert_eq(&lines.join("\n"));
    }
}
