//! A connection to PostgreSQL and the transaction on it.
//!
//! Invariants: a connection is used again only between transactions, and only once all answers
//! have come. The begin of a transaction travels with its first statement, and writes whose outcome
//! nobody needs to go on travel with what comes next, so that they cost no round trip of their own.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use pando_filter::Sql;
use pando_schema::{Collection, Record, SqlValue};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row, Statement};

use super::cell::{Cell, Parameter};
use super::journal::Draft;
use crate::StoreError;

/// Statements that a connection keeps prepared, on both sides.
const STATEMENTS_CACHED_MAX: usize = 256;

/// Writes that wait for the next statement at most.
const LATER_MAX: usize = 64;

/// How much longer than the server's own limit an answer is waited for.
const ANSWER_GRACE: Duration = Duration::from_secs(5);

/// How long an answer that nobody waits for any more may keep a connection from its next use.
const LEFTOVER_MAX: Duration = Duration::from_millis(200);

/// Fails if another server has changed collections or settings. Asked last: the locks that the
/// transaction holds by then keep the tables that it wrote to as they are.
const CHECK_VERSION: &str = "SELECT CASE WHEN \"version\" <> $1::int8 THEN pando.refuse_version() \
                             END FROM pando.state";

/// One connection, used by one request at a time.
pub(crate) struct Connection {
    client: Client,
    /// By their text: the types of the parameters follow from it.
    statements: HashMap<String, Statement>,
    transaction: Transaction,
    /// Writes that travel with the next statement.
    later: Vec<Ready>,
    /// Whether writes may wait for it.
    may_wait: bool,
    /// Whether an answer is still to come.
    waiting: bool,
    /// Whether it has missed an answer and must not be used any more.
    lost: bool,
    /// Why what failed since `begin` may succeed when it is begun anew.
    again: Option<Again>,
    answer_within: Duration,
}

/// Why nothing of a transaction happened and another try may do better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// Collections or settings are not what they were.
    Outdated,
    /// It and others waited for each other.
    Conflict,
    /// A write failed that had waited, so its caller did not learn why: it must not wait.
    AtOnce,
    /// The connection was lost before the commit was sent, so it was undone.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    /// Each statement is one.
    None,
    /// The next statement begins it.
    Due,
    Open,
    /// A statement failed; PostgreSQL takes no other one until the end.
    Failed,
}

impl Connection {
    /// Wraps `client`, whose server stops statements after `query_timeout`.
    pub(crate) fn new(client: Client, query_timeout: Duration) -> Connection {
        Connection {
            client,
            statements: HashMap::new(),
            transaction: Transaction::None,
            later: Vec::new(),
            may_wait: false,
            waiting: false,
            lost: false,
            again: None,
            answer_within: query_timeout + ANSWER_GRACE,
        }
    }

    /// Whether it can be used again. Waits a moment for an answer that a request left behind.
    pub(crate) async fn reusable(&mut self) -> bool {
        if self.spent() {
            return false;
        }
        if self.waiting {
            let answered = tokio::time::timeout(LEFTOVER_MAX, self.client.batch_execute("")).await;
            self.waiting = !matches!(answered, Ok(Ok(())));
        }
        !self.waiting
    }

    /// Whether nobody can use it any more.
    pub(crate) fn spent(&self) -> bool {
        self.lost || self.client.is_closed() || self.in_transaction()
    }

    fn in_transaction(&self) -> bool {
        matches!(self.transaction, Transaction::Open | Transaction::Failed)
    }

    /// Runs a statement that returns no rows. Returns how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &Sql) -> Result<usize, StoreError> {
        let ready = (self.prepared(sql).await?, sql.clone());
        let later = std::mem::take(&mut self.later);
        let work = changed_by(&self.client, &ready);
        let changed = answer(&self.client, self.transaction, &later, self.answer_within, work);
        self.waiting = true;
        let changed = changed.await;
        let changed = self.noted(changed, &later)?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// Runs a write whose outcome is not needed to go on: in a transaction it travels with what
    /// comes next, at the latest with the commit, which then fails if this fails.
    pub(crate) async fn execute_later(&mut self, sql: Sql) -> Result<(), StoreError> {
        if !self.may_wait || self.transaction == Transaction::None {
            return self.execute(&sql).await.map(drop);
        }
        let statement = self.prepared(&sql).await?;
        self.later.push((statement, sql));
        if self.later.len() >= LATER_MAX { self.batch("").await } else { Ok(()) }
    }

    /// Runs statements that take no values.
    pub(crate) async fn batch(&mut self, text: &str) -> Result<(), StoreError> {
        let later = std::mem::take(&mut self.later);
        let work = self.client.batch_execute(text);
        let done = answer(&self.client, self.transaction, &later, self.answer_within, work);
        self.waiting = true;
        let done = done.await;
        self.noted(done, &later)
    }

    /// The rows of a query that selects the columns of `collection` in the order of its fields.
    pub(crate) async fn records(
        &mut self,
        collection: &Arc<Collection>,
        sql: &Sql,
    ) -> Result<Vec<Record>, StoreError> {
        let rows = self.query(sql).await?;
        rows.iter().map(|row| record(collection, row)).collect()
    }

    /// The rows of `list`, and the number that `count` finds. Both are sent before an answer is
    /// waited for.
    pub(crate) async fn page(
        &mut self,
        collection: &Arc<Collection>,
        list: &Sql,
        count: &Sql,
    ) -> Result<(Vec<Record>, i64), StoreError> {
        let list_statement = self.prepared(list).await?;
        let count_statement = self.prepared(count).await?;
        let (client, later) = (&self.client, std::mem::take(&mut self.later));
        let work = async {
            tokio::try_join!(
                rows_of(client, &list_statement, list),
                rows_of(client, &count_statement, count)
            )
        };
        let both = answer(client, self.transaction, &later, self.answer_within, work);
        self.waiting = true;
        let both = both.await;
        let both = self.noted(both, &later);
        if matches!(&both, Err(error) if error.is_outdated_plan()) && !self.in_transaction() {
            // One after the other prepares anew.
            let records = self.records(collection, list).await?;
            let count = self.query(count).await?;
            return Ok((records, first_integer(&count)?));
        }
        let (rows, count) = both?;
        let records = rows.iter().map(|row| record(collection, row));
        Ok((records.collect::<Result<_, _>>()?, first_integer(&count)?))
    }

    /// All rows, as PostgreSQL typed them.
    pub(crate) async fn rows(&mut self, sql: &Sql) -> Result<Vec<Vec<SqlValue>>, StoreError> {
        let rows = self.query(sql).await?;
        let values = |row: &Row| {
            let cell = |index| Ok(row.try_get::<_, Cell<'_>>(index)?.sql_value());
            (0..row.len()).map(cell).collect::<Result<Vec<_>, StoreError>>()
        };
        rows.iter().map(values).collect()
    }

    async fn query(&mut self, sql: &Sql) -> Result<Vec<Row>, StoreError> {
        let outcome = self.query_once(sql).await;
        if matches!(&outcome, Err(error) if error.is_outdated_plan()) && !self.in_transaction() {
            // The types of its columns have changed since it was prepared.
            self.statements.clear();
            return self.query_once(sql).await;
        }
        outcome
    }

    async fn query_once(&mut self, sql: &Sql) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepared(sql).await?;
        let later = std::mem::take(&mut self.later);
        let work = rows_of(&self.client, &statement, sql);
        let rows = answer(&self.client, self.transaction, &later, self.answer_within, work);
        self.waiting = true;
        let rows = rows.await;
        self.noted(rows, &later)
    }

    /// Why what failed since `begin` may succeed when it is begun anew.
    pub(crate) fn again(&self) -> Option<Again> {
        self.again
    }

    /// From now on, what is done belongs together, until `commit` or `roll_back`. Whether writes
    /// may wait for what comes next.
    pub(crate) fn begin(&mut self, may_wait: bool) {
        self.again = None;
        self.may_wait = may_wait;
        self.later.clear();
        self.transaction = Transaction::Due;
    }

    /// Makes what was done since `begin` last, with an entry in the journal if one is given, unless
    /// collections or settings are no longer those of `version`: then `Outdated`. After `Unknown`,
    /// nobody knows whether it did. Returns the number that the entry has or would have had.
    pub(crate) async fn commit(
        &mut self,
        version: u64,
        draft: Option<&Draft>,
    ) -> (Option<u64>, Result<(), StoreError>) {
        match self.transaction {
            Transaction::None | Transaction::Due if self.later.is_empty() => {
                self.transaction = Transaction::None;
                return (None, Ok(()));
            }
            Transaction::None | Transaction::Due | Transaction::Open => {}
            Transaction::Failed => {
                // Whoever overlooked the failure must not take this for a success.
                let undone = self.roll_back().await.and(Err(StoreError::Undone));
                return (None, undone);
            }
        }
        match self.prepare_commit(version, draft).await {
            Ok((entry, check)) => self.send_commit(entry.as_ref(), &check).await,
            Err(error) => (None, Err(error)),
        }
    }

    /// The last statements of a transaction.
    async fn prepare_commit(
        &mut self,
        version: u64,
        draft: Option<&Draft>,
    ) -> Result<(Option<Ready>, Ready), StoreError> {
        // Were one of them not known yet, it would be asked for with the writes that wait.
        let later = std::mem::take(&mut self.later);
        let mut check = Sql::new(pando_filter::Dialect::Postgres);
        check.push(CHECK_VERSION);
        check.values.push(SqlValue::Int(i64::try_from(version).unwrap_or(i64::MAX)));
        let check = (self.prepared(&check).await?, check);
        let entry = match draft.map(Draft::insert) {
            Some(insert) => Some((self.prepared(&insert).await?, insert)),
            None => None,
        };
        self.later = later;
        Ok((entry, check))
    }

    /// Sends them, and what waits, and the commit at once.
    async fn send_commit(
        &mut self,
        entry: Option<&Ready>,
        (check_statement, check): &Ready,
    ) -> (Option<u64>, Result<(), StoreError>) {
        let (client, later) = (&self.client, std::mem::take(&mut self.later));
        let transaction = self.transaction;
        let mut number = None;
        let all = async {
            let before = before(client, transaction, &later);
            let entered = async {
                let Some((statement, insert)) = entry else { return Ok(()) };
                let rows = rows_of(client, statement, insert).await?;
                number = rows.first().and_then(|row| row.try_get::<_, i64>(0).ok());
                Ok(())
            };
            let checked = rows_of(client, check_statement, check);
            let committed = client.batch_execute("COMMIT");
            let (before, entered, checked, committed) =
                tokio::join!(before, entered, checked, committed);
            // When one of them fails the commit undoes, and says nothing of it.
            before.and(entered).and(checked.map(drop)).and(committed)
        };
        self.waiting = true;
        let outcome = tokio::time::timeout(self.answer_within, all).await;
        let number = number.and_then(|number| u64::try_from(number).ok());
        let committed = match outcome {
            Ok(Ok(())) => {
                self.waiting = false;
                self.transaction = Transaction::None;
                Ok(())
            }
            // The session was ended: perhaps before the commit, perhaps just after it.
            Ok(Err(error)) if error.as_db_error().is_some() && !ends_session(&error) => {
                self.lost = true;
                let error = StoreError::from(error);
                self.again = Again::after(&error, &later);
                Err(error)
            }
            Ok(Err(_)) | Err(_) => {
                self.lost = true;
                Err(StoreError::Unknown)
            }
        };
        (number, committed)
    }

    pub(crate) async fn roll_back(&mut self) -> Result<(), StoreError> {
        self.later.clear();
        if self.in_transaction() {
            self.batch("ROLLBACK").await?;
        }
        self.transaction = Transaction::None;
        Ok(())
    }

    /// Takes a transaction back to a savepoint, after which PostgreSQL takes statements again.
    pub(crate) async fn roll_back_to(&mut self, undo: &str) -> Result<(), StoreError> {
        if self.transaction == Transaction::Failed {
            self.transaction = Transaction::Open;
        }
        // What came before the savepoint was sent with it.
        self.later.clear();
        self.batch(undo).await
    }

    /// The statement as the server knows it; it is told once per connection.
    async fn prepared(&mut self, sql: &Sql) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(&sql.text) {
            return Ok(statement.clone());
        }
        let kinds: Vec<Type> = sql.values.iter().map(|value| Parameter(value).kind()).collect();
        let later = std::mem::take(&mut self.later);
        let work = self.client.prepare_typed(&sql.text, &kinds);
        let statement = answer(&self.client, self.transaction, &later, self.answer_within, work);
        self.waiting = true;
        let statement = statement.await;
        let statement = self.noted(statement, &later)?;
        if self.statements.len() >= STATEMENTS_CACHED_MAX {
            self.statements.clear();
        }
        self.statements.insert(sql.text.clone(), statement.clone());
        Ok(statement)
    }

    /// Notes what an answer means for the transaction and the connection.
    fn noted<T>(
        &mut self,
        answer: Result<T, StoreError>,
        later: &[Ready],
    ) -> Result<T, StoreError> {
        self.waiting = false;
        if let Err(error) = &answer {
            self.again = self.again.or(Again::after(error, later));
            if error.is_outdated_plan() {
                self.statements.clear();
            }
        }
        match &answer {
            Ok(_) if self.transaction == Transaction::Due => self.transaction = Transaction::Open,
            Ok(_) => {}
            // The answer may still come: not to the next request.
            Err(StoreError::Unavailable(_)) => self.lost = true,
            Err(_) if self.transaction != Transaction::None => {
                self.transaction = Transaction::Failed;
            }
            Err(_) => {}
        }
        answer
    }
}

fn ends_session(error: &tokio_postgres::Error) -> bool {
    let ends = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN];
    error.code().is_some_and(|code| ends.contains(code))
}

/// A statement that the server knows, and its values.
type Ready = (Statement, Sql);

impl Again {
    /// Why a transaction may be begun anew that failed with `error`, where `later` had waited.
    fn after(error: &StoreError, later: &[Ready]) -> Option<Again> {
        match error {
            error if error.is_outdated() => Some(Again::Outdated),
            StoreError::Conflict => Some(Again::Conflict),
            error if error.is_outdated_plan() => Some(Again::Conflict),
            StoreError::Unavailable(_) => Some(Again::Lost),
            StoreError::Unknown => None,
            _ => (!later.is_empty()).then_some(Again::AtOnce),
        }
    }
}

async fn changed_by(
    client: &Client,
    (statement, sql): &Ready,
) -> Result<u64, tokio_postgres::Error> {
    client.execute_raw(statement, sql.values.iter().map(Parameter)).await
}

/// Sends what goes before a statement: the begin of the transaction, if it is due, and the writes
/// that have waited.
async fn before(
    client: &Client,
    transaction: Transaction,
    later: &[Ready],
) -> Result<(), tokio_postgres::Error> {
    let begin = async {
        match transaction {
            Transaction::Due => client.batch_execute("BEGIN").await,
            Transaction::None | Transaction::Open | Transaction::Failed => Ok(()),
        }
    };
    // Sent in the order in which they are asked for the first time.
    let writes = join_all(later.iter().map(|ready| changed_by(client, ready)));
    let (begun, written) = tokio::join!(begin, writes);
    written.into_iter().fold(begun, |all, one| all.and(one.map(drop)))
}

async fn rows_of(
    client: &Client,
    statement: &Statement,
    sql: &Sql,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    client.query_raw(statement, sql.values.iter().map(Parameter)).await?.try_collect().await
}

/// A row of the columns of `collection` as a record.
fn record(collection: &Arc<Collection>, row: &Row) -> Result<Record, StoreError> {
    let fields = collection.fields.iter().enumerate();
    let values = fields.map(|(index, field)| Ok(row.try_get::<_, Cell<'_>>(index)?.value(field)));
    let values = values.collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Record::from_values(Arc::clone(collection), values))
}

fn first_integer(rows: &[Row]) -> Result<i64, StoreError> {
    match rows.first().map(|row| row.try_get::<_, Cell<'_>>(0)).transpose()? {
        Some(Cell::Int(number)) => Ok(number),
        _ => Ok(0),
    }
}

/// Sends `work`, with what goes before it, and waits for the answer for as long as one can be
/// expected.
async fn answer<T>(
    client: &Client,
    transaction: Transaction,
    later: &[Ready],
    within: Duration,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, StoreError> {
    let both = async {
        if transaction == Transaction::Due || !later.is_empty() {
            let (sent, done) = tokio::join!(before(client, transaction, later), work);
            sent.and(done)
        } else {
            work.await
        }
    };
    match tokio::time::timeout(within, both).await {
        Ok(outcome) => Ok(outcome?),
        Err(_elapsed) => Err(StoreError::Unavailable("it does not answer".to_owned())),
    }
}
