//! The pool of connections to one PostgreSQL server.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Object, PoolError, RecycleError, RecycleResult};
use tokio::sync::mpsc;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;

use super::room::{Place, Room};
use super::{Connection, error, facts, link, tls};
use crate::{Conn, StoreError, StoreOptions};

/// How long a new connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Between two tries to reach a server that is away.
pub(super) const RETRY_AFTER: Duration = Duration::from_millis(100);

/// How long what was sent may stay unconfirmed before the connection counts as dead.
const UNCONFIRMED_MAX: Duration = Duration::from_secs(15);

/// An idle connection is asked after that time whether the other side is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);

const FULL: &str = "others use all connections that it has\nhint: raise max_connections in \
                    postgresql.conf, or lower database.connections of all that use the server";

/// Connections, made when they are needed, up to a limit.
#[derive(Clone)]
pub(crate) struct Pool {
    pool: deadpool::managed::Pool<Connector>,
    room: Arc<Room>,
    wait_max: Duration,
    hold_max: Duration,
    /// Whether the server could not be reached when it was tried last.
    away: Arc<AtomicBool>,
}

/// A connection of the caller's own, given back when dropped; closed if it is of no more use: what
/// a panic leaves open would hold its locks for as long as it lay in the pool.
pub(crate) struct Pooled {
    object: Option<Object<Connector>>,
    _place: Place,
}

impl Deref for Pooled {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.object.as_ref().expect("given back when dropped only")
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Conn {
        self.object.as_mut().expect("given back when dropped only")
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let spent = self.postgres().is_some_and(|connection| connection.spent());
        if spent && let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

/// How connections are made.
pub(crate) struct Connector {
    config: Config,
    tls: tls::Tls,
    query_timeout: Duration,
}

impl Pool {
    /// A pool for the server at `url`. Makes no connection yet.
    pub(crate) fn new(url: &str, options: &StoreOptions) -> Result<Pool, StoreError> {
        let connector = Connector::new(url, options.query_timeout)?;
        let pool = deadpool::managed::Pool::builder(connector)
            .max_size(options.connections)
            .create_timeout(Some(CONNECT_WITHIN))
            .recycle_timeout(Some(CONNECT_WITHIN))
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a runtime is given for the timeouts");
        let room = Arc::new(Room::new(options.connections));
        let (wait_max, hold_max) = (options.read_wait_max, options.hold_max);
        Ok(Pool { pool, room, wait_max, hold_max, away: Arc::default() })
    }

    /// A connection. Waits for a server that is away, as one that restarts, and fails with
    /// `Unavailable` if it does not come back in time; with `Busy` when no connection gets free,
    /// with `Stopping` after `close`.
    pub(crate) async fn take(&self) -> Result<Pooled, StoreError> {
        let begun = Instant::now();
        loop {
            let taken = self.take_now().await;
            self.away.store(matches!(taken, Err(StoreError::Unavailable(_))), Ordering::Relaxed);
            match taken {
                Err(StoreError::Unavailable(_)) if begun.elapsed() < self.hold_max => {
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                // Waited for others who wait for the server.
                Err(StoreError::Busy) if self.is_away() && begun.elapsed() < self.hold_max => {}
                taken => return taken,
            }
        }
    }

    /// Whether the server could not be reached when it was tried last.
    pub(super) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// A connection. Fails with `Unavailable` at once when the server cannot be reached.
    pub(crate) async fn take_now(&self) -> Result<Pooled, StoreError> {
        let begun = Instant::now();
        loop {
            let place = self.room.enter(self.wait_max.saturating_sub(begun.elapsed())).await?;
            match self.pool.get().await {
                Ok(object) => return Ok(Pooled { object: Some(object), _place: place }),
                // The server has no more: wait for one that is in use, if we have any.
                Err(PoolError::Backend(StoreError::Busy)) => {
                    if self.pool.status().size == 0 || !self.room.lacks(place) {
                        return Err(StoreError::Unavailable(FULL.to_owned()));
                    }
                }
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    /// Makes all connections, so that the first requests need not wait for them.
    pub(crate) async fn warm(&self) -> Result<(), StoreError> {
        let count = self.pool.status().max_size;
        let taken = futures_util::future::join_all((0..count).map(|_| self.take())).await;
        taken.into_iter().try_for_each(|taken| match taken {
            // The server has fewer.
            Ok(_) | Err(StoreError::Busy) => Ok(()),
            Err(error) => Err(error),
        })
    }

    /// For connections beside the pool.
    pub(super) fn connector(&self) -> &Connector {
        self.pool.manager()
    }

    pub(crate) fn close(&self) {
        self.room.close();
        self.pool.close();
    }
}

/// Why there is no connection.
fn refusal(error: PoolError<StoreError>) -> StoreError {
    match error {
        PoolError::Timeout(_) => StoreError::Unavailable("it does not answer".to_owned()),
        PoolError::Closed => StoreError::Stopping,
        PoolError::Backend(error) => error,
        PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            StoreError::Unavailable("no connection could be made".to_owned())
        }
    }
}

impl Connector {
    pub(crate) fn new(url: &str, query_timeout: Duration) -> Result<Connector, StoreError> {
        let (url, verify) = tls::Verify::of(url)?;
        let mut config: Config =
            url.parse().map_err(|error| StoreError::BadUrl(super::error::words(&error)))?;
        config
            .connect_timeout(CONNECT_WITHIN)
            .tcp_user_timeout(UNCONFIRMED_MAX)
            .keepalives(true)
            .keepalives_idle(KEEPALIVE_IDLE);
        if config.get_application_name().is_none() {
            config.application_name("pando");
        }
        let given = config.get_options().unwrap_or_default();
        let milliseconds = query_timeout.as_millis();
        // The server stops what a client that has gone asked for.
        let limits = format!(
            "{given} -c statement_timeout={milliseconds} \
             -c idle_in_transaction_session_timeout={milliseconds} \
             -c client_connection_check_interval=1000 -c timezone=UTC \
             -c standard_conforming_strings=on -c datestyle=ISO -c client_min_messages=warning"
        );
        config.options(limits.trim());
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => tls::Tls::None,
            _ => tls::Tls::of(&verify)?,
        };
        Ok(Connector { config, tls, query_timeout })
    }

    /// A new connection. The task that drives it ends with it.
    pub(crate) async fn connect(&self) -> Result<Connection, StoreError> {
        Ok(Connection::new(self.client().await?, self.query_timeout))
    }

    /// The same, with the notifications that come on it.
    pub(super) async fn connect_with_notes(
        &self,
        notes: mpsc::Sender<String>,
    ) -> Result<Connection, StoreError> {
        let client = match &self.tls {
            tls::Tls::None => {
                let connecting = self.config.connect(tokio_postgres::NoTls);
                let (client, connection) = connecting.await.map_err(refused)?;
                link::drive(connection, notes);
                client
            }
            tls::Tls::Rustls(connector) => {
                let connecting = self.config.connect(connector.clone());
                let (client, connection) = connecting.await.map_err(refused)?;
                link::drive(connection, notes);
                client
            }
        };
        Ok(Connection::new(client, self.query_timeout))
    }

    /// The same for who speaks to the driver himself.
    pub(crate) async fn client(&self) -> Result<tokio_postgres::Client, StoreError> {
        let client = match &self.tls {
            tls::Tls::None => {
                let (client, connection) =
                    self.config.connect(tokio_postgres::NoTls).await.map_err(refused)?;
                drive(connection);
                client
            }
            tls::Tls::Rustls(connector) => {
                let (client, connection) =
                    self.config.connect(connector.clone()).await.map_err(refused)?;
                drive(connection);
                client
            }
        };
        Ok(client)
    }
}

/// Why a server takes no connection.
fn refused(error: tokio_postgres::Error) -> StoreError {
    match error.code() {
        // A setting of ours that it does not know.
        Some(&SqlState::UNDEFINED_OBJECT) => {
            StoreError::Unsuitable(facts::too_old(&error::words(&error)))
        }
        _ => error.into(),
    }
}

/// Runs what sends and receives for a client. It says nothing that the client does not learn.
#[expect(clippy::disallowed_methods, reason = "it ends with its client")]
fn drive<S, T>(connection: tokio_postgres::Connection<S, T>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        let _ = connection.await;
    });
}

impl Manager for Connector {
    type Type = Conn;
    type Error = StoreError;

    async fn create(&self) -> Result<Conn, StoreError> {
        Ok(self.connect().await?.into())
    }

    async fn recycle(&self, conn: &mut Conn, _: &Metrics) -> RecycleResult<StoreError> {
        let reusable = match conn.postgres() {
            Some(connection) => connection.reusable().await,
            None => false,
        };
        reusable.then_some(()).ok_or_else(|| RecycleError::message("it cannot be used again"))
    }
}
