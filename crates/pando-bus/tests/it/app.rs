//! Servers with a bus, and short words for what cases do with them.

use std::sync::Arc;
use std::time::Duration;

use pando_bus::{Bus, BusOptions, Event};
use pando_schema::{Record, Value};
use pando_store::{Action, Database, Store, StoreError, StoreOptions, WriteError};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A server and what it gets to know.
pub(crate) struct Server {
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    events: Receiver<Event>,
    stopping: CancellationToken,
    _home: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl Server {
    /// A server on a database, or on SQLite.
    pub(crate) async fn start(url: Option<&str>, options: BusOptions) -> Server {
        let home = TempDir::new().unwrap();
        let store_options = StoreOptions {
            dir: home.path().to_owned(),
            database: url.map(|url| Database { url: url.to_owned() }),
            connections: 4,
            ..StoreOptions::default()
        };
        let store = Store::open(&store_options).await.unwrap();
        store.join().await.unwrap();
        let stopping = CancellationToken::new();
        let (bus, work) = Bus::new(store.clone(), options, stopping.clone());
        let events = bus.watch();
        spawn(work);
        // So that it does not begin behind what comes next.
        bus.send("begun").await.unwrap();
        let mut server = Server { store, bus, events, stopping, _home: home };
        assert_eq!(server.next().await, "begun");
        server
    }

    pub(crate) async fn make_things(&self) {
        let work = self.store.write(|tx| {
            Box::pin(async move {
                let fields = json!([{ "type": "number", "name": "n" }, { "type": "text", "name": "t", "max": 100_000 }]);
                let things = json!({ "name": "things", "type": "base", "fields": fields });
                let serde_json::Value::Object(things) = things else { unreachable!() };
                tx.create_collection(&things).await.map_err(|error| error.to_string())?;
                Ok::<_, Failure>(())
            })
        });
        work.await.unwrap();
    }

    pub(crate) async fn create(&self, id: &str, text: &str) {
        let (id, text) = (id.to_owned(), text.to_owned());
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                let mut record = Record::new(Arc::clone(tx.schema().find("things").unwrap()));
                record.put("id", Value::Text(id));
                record.put("t", Value::Text(text));
                tx.insert(record).await?;
                Ok::<_, Failure>(())
            })
        });
        work.await.unwrap();
    }

    /// Adds one to the number of a record.
    pub(crate) async fn count_up(&self, id: &str) {
        let id = id.to_owned();
        let work = self.store.write(move |tx| {
            Box::pin(async move {
                let things = Arc::clone(tx.schema().find("things").unwrap());
                let original = tx.find(&things, &id).await?.unwrap();
                let mut record = original.clone();
                let Some(Value::Number(n)) = record.get("n").cloned() else { unreachable!() };
                record.put("n", Value::Number(n + 1.0));
                tx.update(record, &original).await?;
                Ok::<_, Failure>(())
            })
        });
        work.await.unwrap();
    }

    /// The next event, in a few words.
    pub(crate) async fn next(&mut self) -> String {
        let event = timeout(DEADLINE, self.events.recv()).await;
        match event.expect("no event came").unwrap() {
            Event::Changes(changes) => {
                let one = |change: &pando_store::Change| {
                    let action = match change.action {
                        Action::Create => "+",
                        Action::Update => "",
                        Action::Delete => "-",
                    };
                    let n = match change.record.get("n") {
                        Some(Value::Number(n)) => format!("={n}"),
                        _ => String::new(),
                    };
                    format!("{action}{}{n}", change.record.id().trim_end_matches('0'))
                };
                changes.read().unwrap().iter().map(one).collect::<Vec<_>>().join(" ")
            }
            Event::Message { text, .. } => text.to_string(),
            Event::Missed => "missed".to_owned(),
        }
    }

    /// The events up to one that ends the list.
    pub(crate) async fn until(&mut self, last: &str) -> Vec<String> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            if event == last {
                return events;
            }
            events.push(event);
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{0}")]
    Other(String),
}

impl From<String> for Failure {
    fn from(words: String) -> Failure {
        Failure::Other(words)
    }
}

#[expect(clippy::disallowed_methods, reason = "it ends with the test")]
fn spawn(work: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
    tokio::spawn(work);
}

/// An id of fifteen characters.
pub(crate) fn id(label: &str) -> String {
    format!("{label:0<15}")
}
