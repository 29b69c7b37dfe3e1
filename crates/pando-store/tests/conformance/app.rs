//! A store on one of the databases, and short words for what cases do with it.

use std::sync::Arc;

use pando_schema::{Collection, Record, validate};
use pando_store::{CollectionError, Database, Store, StoreError, StoreOptions, Tx, WriteError};
use pando_testkit::Postgres;
use serde_json::{Map, Value as Json, json};
use tempfile::TempDir;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Few, so that cases also see connections being waited for.
const CONNECTIONS: usize = 6;

/// A store and where it keeps its data.
pub(crate) struct App {
    store: Option<Store>,
    pub(crate) engine: Engine,
    options: StoreOptions,
    /// Gone with the app, the store before it.
    _home: TempDir,
    _server: Option<Arc<Postgres>>,
}

/// Why a piece of work failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Collection(#[from] CollectionError),
    #[error("undone on purpose")]
    Undone,
}

impl App {
    /// A store on a new, empty database.
    pub(crate) async fn open(engine: Engine) -> App {
        let home = TempDir::new().unwrap();
        let mut options = StoreOptions { dir: home.path().to_owned(), ..StoreOptions::default() };
        let mut server = None;
        if engine == Engine::Postgres {
            let postgres = Postgres::start().unwrap();
            let url = postgres.url(&postgres.new_database().unwrap());
            options.database = Some(Database { url });
            options.connections = CONNECTIONS;
            server = Some(postgres);
        }
        let store = Some(Store::open(&options).await.unwrap());
        App { store, engine, options, _home: home, _server: server }
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    /// Closes the store and opens it again on the same data, with changed options.
    pub(crate) async fn reopen(
        &mut self,
        change: impl FnOnce(&mut StoreOptions),
    ) -> Result<(), StoreError> {
        // Nobody else has a clone, so this lets go of the directory.
        if let Some(store) = self.store.take() {
            store.close().await;
        }
        change(&mut self.options);
        self.store = Some(Store::open(&self.options).await?);
        Ok(())
    }

    pub(crate) fn collection(&self, name: &str) -> Arc<Collection> {
        Arc::clone(self.store().schema().find(name).unwrap())
    }

    /// Makes a base collection that has these fields beside its id.
    pub(crate) async fn make(&self, name: &str, fields: Json) -> Arc<Collection> {
        self.try_make(json!({ "name": name, "type": "base", "fields": fields })).await.unwrap()
    }

    pub(crate) async fn try_make(&self, definition: Json) -> Result<Arc<Collection>, Failure> {
        self.store()
            .write(move |tx| {
                Box::pin(async move { Ok(tx.create_collection(&object(definition)).await?) })
            })
            .await
    }

    pub(crate) async fn alter(&self, name: &str, change: Json) -> Result<Arc<Collection>, Failure> {
        let collection = self.collection(name);
        self.store()
            .write(move |tx| {
                Box::pin(
                    async move { Ok(tx.update_collection(&collection, &object(change)).await?) },
                )
            })
            .await
    }

    pub(crate) async fn create(&self, name: &str, values: Json) -> Result<Arc<Record>, Failure> {
        let name = name.to_owned();
        self.store().write(move |tx| Box::pin(async move { create(tx, &name, values).await })).await
    }

    /// Creates many records in one transaction.
    pub(crate) async fn create_all(&self, name: &str, all: Vec<Json>) {
        let name = name.to_owned();
        let work = self.store().write(move |tx| {
            Box::pin(async move {
                for values in all {
                    create(tx, &name, values).await?;
                }
                Ok::<(), Failure>(())
            })
        });
        work.await.unwrap();
    }

    pub(crate) async fn update(
        &self,
        name: &str,
        id: &str,
        values: Json,
    ) -> Result<Arc<Record>, Failure> {
        let (name, id) = (name.to_owned(), id.to_owned());
        self.store()
            .write(move |tx| Box::pin(async move { update(tx, &name, &id, values).await }))
            .await
    }

    pub(crate) async fn delete(&self, name: &str, id: &str) -> Result<Vec<Arc<Record>>, Failure> {
        let (name, id) = (name.to_owned(), id.to_owned());
        self.store().write(move |tx| Box::pin(async move { delete(tx, &name, &id).await })).await
    }

    /// The record as whoever comes now reads it.
    pub(crate) async fn find(&self, name: &str, id: &str) -> Option<Record> {
        loop {
            let mut reader = self.store().read().await.unwrap();
            match reader.find(&self.collection(name), id).await {
                // The collection has changed since we looked at it; a request is told to try again.
                Err(error) if error.is_outdated() => {}
                found => return found.unwrap(),
            }
        }
    }

    /// The value of a field as JSON text, as whoever comes now reads it.
    pub(crate) async fn value(&self, name: &str, id: &str, field: &str) -> String {
        let record = self.find(name, id).await;
        shown(&record.unwrap_or_else(|| panic!("no {id} in {name}")), field)
    }
}

pub(crate) async fn create(tx: &mut Tx, name: &str, values: Json) -> Result<Arc<Record>, Failure> {
    let mut record = Record::new(Arc::clone(tx.schema().find(name).unwrap()));
    set(&mut record, values);
    record.fill_new(&mut rand::rng());
    checked(tx, &record, None).await?;
    Ok(tx.insert(record).await?)
}

pub(crate) async fn update(
    tx: &mut Tx,
    name: &str,
    id: &str,
    values: Json,
) -> Result<Arc<Record>, Failure> {
    let original = stored(tx, name, id).await?;
    let mut record = original.clone();
    set(&mut record, values);
    checked(tx, &record, Some(&original)).await?;
    Ok(tx.update(record, &original).await?)
}

pub(crate) async fn delete(tx: &mut Tx, name: &str, id: &str) -> Result<Vec<Arc<Record>>, Failure> {
    let record = stored(tx, name, id).await?;
    Ok(tx.delete(Arc::new(record)).await?)
}

async fn stored(tx: &mut Tx, name: &str, id: &str) -> Result<Record, Failure> {
    let collection = Arc::clone(tx.schema().find(name).unwrap());
    let record = tx.find(&collection, id).await?;
    Ok(record.unwrap_or_else(|| panic!("no {id} in {name}")))
}

/// Sets values as a request would. Passwords are taken for their own hashes.
fn set(record: &mut Record, values: Json) {
    for (name, value) in object(values) {
        let index = record.set(&name, &value, &mut rand::rng()).unwrap_or_else(|| panic!("{name}"));
        if let Some(plain) = record.plain_password(index).map(str::to_owned) {
            record.put_password_hash(index, plain);
        }
    }
}

/// What the handler of a request does before it writes.
async fn checked(tx: &mut Tx, record: &Record, original: Option<&Record>) -> Result<(), Failure> {
    let (mut problems, checks) = validate(record, original);
    tx.check(record, &checks, &mut problems).await?;
    Ok(problems.into_result().map_err(WriteError::Invalid)?)
}

/// A field's value as JSON text, to the byte as clients get it.
pub(crate) fn shown(record: &Record, field: &str) -> String {
    let mut bytes = Vec::new();
    record.get(field).unwrap_or_else(|| panic!("no field {field}")).write_json(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

/// The codes of validation problems by field, such as `title: validation_not_unique`.
pub(crate) fn problems<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> String {
    let found = match outcome.unwrap_err() {
        Failure::Write(WriteError::Invalid(problems))
        | Failure::Collection(CollectionError::Invalid(problems)) => problems.to_json(),
        other => panic!("no validation problem but {other:?}"),
    };
    let code = |(field, problem): (String, Json)| match problem["code"].as_str() {
        Some(code) => format!("{field}: {code}"),
        None => format!("{field}: {problem}"),
    };
    found.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

pub(crate) fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

/// An id of fifteen characters that ends in `number`.
pub(crate) fn id(label: &str, number: usize) -> String {
    let digits = 15 - label.len();
    format!("{label}{number:0digits$}")
}
