//! This process as one of the servers on a database.
//!
//! A server says twice a second that it is there and which collections and settings it knows. Who
//! changes those waits until all servers that are there know them, so that nobody acts on old ones
//! once the change was answered. A server that could not say so for a while (it was frozen, or cut
//! off from the database) is not waited for, and answers nothing until it has looked again.
//!
//! Invariant: a server holds itself for present for a shorter time than the others do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pando_schema::SqlValue;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};
use tracing::{debug, info, warn};

use super::engine::Engine;
use super::journal::HEAD;
use super::link::{Link, Notes};
use crate::{Conn, StoreError};

/// How often a server says that it is there.
const BEAT_EVERY: Duration = Duration::from_millis(500);

/// How long it counts as present for itself, from before it last said so.
const PRESENT_FOR: Duration = Duration::from_secs(2);

/// How long the others wait for it: the same, and what clocks and a slow answer may differ by.
const ABSENT_AFTER: &str = "interval '3 seconds'";

/// How long a connection may take to be made, and an answer to come.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Between two tries to connect.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// How often is looked whether all others know of a change.
const ASK_EVERY: Duration = Duration::from_millis(3);

/// How long a server has to be alone before it stops writing the journal.
const ALONE_FOR: Duration = Duration::from_secs(60);

/// What one look at the database told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pulse {
    /// Of collections and settings.
    pub version: u64,
    /// Whether the journal is written.
    pub shared: bool,
    /// The last number that the journal has given.
    pub head: u64,
    /// How many servers are there beside this one.
    pub others: u64,
}

/// A server's place among the others.
pub(crate) struct Member {
    pub(super) id: Arc<str>,
    /// Until when it counts as present; `None` before it joined.
    present_until: watch::Sender<Option<Instant>>,
    pulse: watch::Sender<Pulse>,
    /// Wakes the beat before its time.
    nudge: Notify,
    joined: AtomicBool,
}

impl Member {
    pub(super) fn new(id: Arc<str>) -> Member {
        Member {
            id,
            present_until: watch::Sender::new(None),
            pulse: watch::Sender::new(Pulse::default()),
            nudge: Notify::new(),
            joined: AtomicBool::new(false),
        }
    }

    pub(super) fn joined(&self) -> bool {
        self.joined.load(Ordering::Acquire)
    }

    /// A number that the journal has given, not long ago.
    pub(super) fn head(&self) -> u64 {
        self.pulse.borrow().head
    }

    /// Looks soon.
    pub(super) fn nudge(&self) {
        self.nudge.notify_one();
    }

    /// Waits until the server counts as present, which it mostly does. Fails with `Unavailable`
    /// after `within`.
    pub(super) async fn present(&self, within: Duration) -> Result<(), StoreError> {
        self.nudge();
        let mut changes = self.present_until.subscribe();
        let present = |until: &Option<Instant>| until.is_none_or(|until| Instant::now() < until);
        let waited = timeout(within, changes.wait_for(present)).await;
        match waited {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(StoreError::Stopping),
            Err(_elapsed) => Err(StoreError::Unavailable("it does not answer".to_owned())),
        }
    }

    /// Whether the server counts as present, or has not joined the others.
    pub(super) fn is_present(&self) -> bool {
        self.present_until.borrow().is_none_or(|until| Instant::now() < until)
    }

    /// Whether the others may have stopped waiting for it.
    fn was_away(&self) -> bool {
        self.present_until.borrow().is_none_or(|until| Instant::now() >= until)
    }

    fn answered(&self, asked: Instant) {
        self.present_until.send_replace(Some(asked + PRESENT_FOR));
    }
}

impl Engine {
    /// Takes a place among the servers on the database: from now on all that they write is in the
    /// journal, and they wait for this one. Idempotent.
    pub(crate) async fn join(self: &Arc<Self>) -> Result<(), StoreError> {
        if self.member.joined.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let joined = self.take_place().await;
        if joined.is_err() {
            self.member.joined.store(false, Ordering::Release);
            return joined;
        }
        beat_until_closed(self);
        Ok(())
    }

    async fn take_place(&self) -> Result<(), StoreError> {
        let mut conn = self.connect_beside().await?;
        let pulse = self.beat(&mut conn).await?;
        if pulse.others > 0 {
            // One that is alone until now may be about to stop sharing: this waits for it.
            let mut sql = conn.sql();
            sql.push(
                "UPDATE pando.state SET \"version\" = \"version\" + CASE WHEN \"shared\" THEN 0 \
                 ELSE 1 END, \"shared\" = TRUE RETURNING \"version\"",
            );
            let version = conn.integer(&sql).await?.unwrap_or_default();
            self.learn().await?;
            self.known_by_all(u64::try_from(version).unwrap_or_default()).await?;
            info!(servers = pulse.others + 1, "joined the servers on the database");
        }
        Ok(())
    }

    /// Waits until all servers that are there work with that version or a later one.
    pub(super) async fn known_by_all(&self, version: u64) -> Result<(), StoreError> {
        let mut conn = self.pool().take().await?;
        let mut sql = conn.sql();
        sql.push("SELECT count(*) FROM pando.servers WHERE \"id\" <> ");
        sql.bind(&*self.member.id).push(" AND \"version\" < ");
        sql.bind(i64::try_from(version).unwrap_or(i64::MAX));
        sql.push(" AND \"seen\" > now() - ").push(ABSENT_AFTER);
        while conn.integer(&sql).await?.unwrap_or_default() > 0 {
            tokio::time::sleep(ASK_EVERY).await;
        }
        Ok(())
    }

    /// A connection beside the pool. What is done on it need not survive a crash.
    async fn connect_beside(&self) -> Result<Conn, StoreError> {
        let connected = timeout(ANSWER_WITHIN, self.pool().connector().connect()).await;
        let connected = connected
            .unwrap_or_else(|_| Err(StoreError::Unavailable("it does not answer".to_owned())));
        let mut conn = Conn::from(connected?);
        conn.batch("SET synchronous_commit = off").await?;
        Ok(conn)
    }

    /// Says that the server is there and what it knows, and looks what there is.
    async fn beat(&self, conn: &mut Conn) -> Result<Pulse, StoreError> {
        let asked = Instant::now();
        let known = self.collections.settled_version();
        let pulse = timeout(ANSWER_WITHIN, beat(conn, &self.member.id, known)).await;
        let pulse = pulse
            .unwrap_or_else(|_| Err(StoreError::Unavailable("it does not answer".to_owned())))?;
        // While it was away nobody waited for it: what they changed comes first.
        if self.member.was_away() && pulse.version > self.shared().known().version {
            self.learn().await?;
        }
        self.member.answered(asked);
        self.member.pulse.send_if_modified(|last| std::mem::replace(last, pulse) != pulse);
        Ok(pulse)
    }

    /// Lets writes be without journal if nobody else has been there for a while.
    async fn stop_sharing(&self, conn: &mut Conn) -> Result<(), StoreError> {
        let mut sql = conn.sql();
        sql.push(
            "UPDATE pando.state SET \"version\" = \"version\" + 1, \"shared\" = FALSE WHERE \
             \"shared\" AND NOT EXISTS (SELECT FROM pando.servers WHERE \"id\" <> ",
        );
        sql.bind(&*self.member.id).push(" AND \"seen\" > now() - ").push(ABSENT_AFTER).push(")");
        if conn.execute(&sql).await? > 0 {
            info!("the only server on the database");
        }
        Ok(())
    }

    /// See [`crate::Store::catch_up_with`].
    pub(crate) async fn catch_up_with(&self, version: u64) -> Result<(), StoreError> {
        if self.shared().known().version < version {
            self.learn().await?;
            self.member.nudge();
        }
        Ok(())
    }

    /// What the looks at the database tell.
    pub(crate) fn pulse(&self) -> watch::Receiver<Pulse> {
        self.member.pulse.subscribe()
    }

    /// See [`crate::Store::link`].
    pub(crate) async fn link(&self) -> Result<(Link, Notes), StoreError> {
        Link::connect(self.pool().connector(), Arc::clone(&self.member.id)).await
    }

    /// Gives the place up, so that nobody waits for this server.
    pub(super) async fn leave(&self) {
        if !self.member.joined() {
            return;
        }
        let left = async {
            let mut conn = self.connect_beside().await?;
            let mut sql = conn.sql();
            sql.push("DELETE FROM pando.servers WHERE \"id\" = ").bind(&*self.member.id);
            conn.execute(&sql).await
        };
        if let Ok(Err(error)) = timeout(ANSWER_WITHIN, left).await {
            debug!(error = format!("{error:#}"), "failed to say good-bye to the other servers");
        }
    }
}

/// One look at the database, and a sign of life. Forgets servers that are long gone.
async fn beat(conn: &mut Conn, id: &str, version: u64) -> Result<Pulse, StoreError> {
    let mut sql = conn.sql();
    sql.push("WITH me AS (INSERT INTO pando.servers AS s (\"id\", \"version\") VALUES (");
    sql.bind(id).push(", ").bind(i64::try_from(version).unwrap_or(i64::MAX));
    sql.push(
        ") ON CONFLICT (\"id\") DO UPDATE SET \"version\" = excluded.\"version\", \"seen\" = \
         now()), gone AS (DELETE FROM pando.servers WHERE \"seen\" < now() - interval '1 minute') \
         SELECT \"version\", \"shared\", (",
    );
    sql.push(HEAD).push("), (SELECT count(*) FROM pando.servers WHERE \"id\" <> ");
    sql.bind(id).push(" AND \"seen\" > now() - ").push(ABSENT_AFTER).push(") FROM pando.state");
    let rows = conn.rows(&sql).await?;
    let Some(
        [SqlValue::Int(version), SqlValue::Int(shared), SqlValue::Int(head), SqlValue::Int(others)],
    ) = rows.first().map(Vec::as_slice)
    else {
        return Err(StoreError::Unsuitable("pando.state is empty".to_owned()));
    };
    let count = |number: &i64| u64::try_from(*number).unwrap_or_default();
    Ok(Pulse {
        version: count(version),
        shared: *shared == 1,
        head: count(head),
        others: count(others),
    })
}

/// Says twice a second that the server is there, on a connection of its own, so that no load keeps
/// it from that.
#[expect(clippy::disallowed_methods, reason = "it ends with the engine")]
fn beat_until_closed(engine: &Arc<Engine>) {
    let engine = Arc::downgrade(engine);
    tokio::spawn(async move {
        let mut conn = None;
        let mut alone_since: Option<Instant> = None;
        loop {
            let Some(engine) = engine.upgrade().filter(|engine| !engine.closed()) else { return };
            match one_beat(&engine, &mut conn, &mut alone_since).await {
                Ok(()) => {
                    let nudged = engine.member.nudge.notified();
                    let _ = timeout(BEAT_EVERY, nudged).await;
                }
                Err(error) => {
                    conn = None;
                    warn!(error = format!("{error:#}"), "no sign of life to the other servers");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    });
}

async fn one_beat(
    engine: &Arc<Engine>,
    conn: &mut Option<Conn>,
    alone_since: &mut Option<Instant>,
) -> Result<(), StoreError> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(engine.connect_beside().await?),
    };
    let pulse = engine.beat(conn).await?;
    if pulse.version > engine.shared().known().version {
        engine.learn().await?;
        // The others may wait for that.
        engine.beat(conn).await?;
    } else if pulse.shared && pulse.others == 0 {
        let since = *alone_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= ALONE_FOR {
            engine.stop_sharing(conn).await?;
            engine.forget_counts().await?;
        }
        return Ok(());
    }
    *alone_since = None;
    Ok(())
}
