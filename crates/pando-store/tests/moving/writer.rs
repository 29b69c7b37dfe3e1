//! Clients that create, change and delete records as long as the data is at home in SQLite.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pando_schema::{Collection, Record, Value};
use pando_store::moving::Home;
use pando_store::{Store, WriteError};
use pando_testkit::Rng;
use tokio::task::JoinSet;

use crate::gate::TestGate;
use crate::world::World;

/// Writers at work.
pub(crate) struct Writers {
    tasks: JoinSet<()>,
    stop: Arc<AtomicBool>,
    /// Writes that were acknowledged.
    pub(crate) written: Arc<AtomicU64>,
}

impl Writers {
    pub(crate) fn start(world: &World, count: u64) -> Writers {
        let mut tasks = JoinSet::new();
        let (stop, written) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        for number in 0..count {
            let mut writer = Writer {
                store: world.store.clone(),
                gate: world.gate.clone(),
                rng: Rng::new(number),
                number,
                known: Vec::new(),
            };
            let (stop, written) = (Arc::clone(&stop), Arc::clone(&written));
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) && writer.write().await {
                    written.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Writers { tasks, stop, written }
    }

    /// Waits until all have noticed that the data is elsewhere, or stops them.
    pub(crate) async fn finish(self, stop: bool) -> u64 {
        self.stop.store(stop, Ordering::Relaxed);
        let mut tasks = self.tasks;
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
        self.written.load(Ordering::Relaxed)
    }
}

struct Writer {
    store: Store,
    gate: TestGate,
    rng: Rng,
    number: u64,
    /// Ids of its own posts.
    known: Vec<String>,
}

impl Writer {
    /// One write. False if the data is not here any more. No write may fail.
    async fn write(&mut self) -> bool {
        let (home, _pass) = self.gate.enter().await;
        if home != Home::Sqlite {
            return false;
        }
        match (self.rng.below(10), self.known.is_empty()) {
            (0..=4, _) | (_, true) => self.create().await,
            (5..=7, false) => self.update().await,
            _ => self.delete().await,
        }
        true
    }

    fn collection(&self, name: &str) -> Arc<Collection> {
        Arc::clone(self.store.schema().find(name).unwrap())
    }

    fn change(&mut self, record: &mut Record, id: &str) {
        let number = self.rng.between(0, 1000);
        record.put("title", Value::Text(format!("\u{1F600} {number}")));
        // Unique while it lasts, and taken over from others.
        record.put("slug", Value::Text(format!("{id}-{}", number % 3)));
        record.put("views", Value::Number(f64::from(i32::try_from(number).unwrap()) / 7.0));
        record.put("meta", Value::Json(format!("[{number}, \"{id}\"]")));
        record.put("public", Value::Bool(number % 2 == 0));
    }

    async fn create(&mut self) {
        // Ids come back now and then.
        let id = format!("w{}x{:011}", self.number, self.rng.below(500));
        if self.known.contains(&id) {
            return;
        }
        let mut record = Record::new(self.collection("posts"));
        record.put("id", Value::Text(id.clone()));
        self.change(&mut record, &id);
        self.known.push(id.clone());
        let board = self.rng.percent(30).then(|| {
            let mut board = Record::new(self.collection("boards"));
            board.put("id", Value::Text(format!("b{}", &id[1..])));
            board.put("posts", Value::List(vec![id]));
            board
        });
        let written: Result<(), WriteError> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    tx.insert(record).await?;
                    if let Some(board) = board {
                        let known = tx.find(&board.collection.clone(), board.id()).await?;
                        if known.is_none() {
                            tx.insert(board).await?;
                        }
                    }
                    Ok(())
                })
            })
            .await;
        written.unwrap();
    }

    async fn update(&mut self) {
        let id = self.rng.pick(&self.known).clone();
        let posts = self.collection("posts");
        let mut new = Record::new(Arc::clone(&posts));
        self.change(&mut new, &id);
        let written: Result<(), WriteError> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let old = tx.find(&posts, &id).await?.unwrap();
                    let mut changed = old.clone();
                    for name in ["title", "slug", "views", "meta", "public"] {
                        changed.put(name, new.get(name).unwrap().clone());
                    }
                    tx.update(changed, &old).await?;
                    Ok(())
                })
            })
            .await;
        written.unwrap();
    }

    async fn delete(&mut self) {
        let index = self.rng.below(self.known.len());
        let id = self.known.swap_remove(index);
        let posts = self.collection("posts");
        let written: Result<(), WriteError> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let record = tx.find(&posts, &id).await?.unwrap();
                    tx.delete(Arc::new(record)).await?;
                    Ok(())
                })
            })
            .await;
        written.unwrap();
    }
}
