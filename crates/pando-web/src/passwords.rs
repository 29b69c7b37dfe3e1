//! Password hashes. Slow on purpose, so they run beside the request tasks, a few at a time.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::ApiError;

/// How long a request waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// As many at once as there are cores: more would only make all of them slower.
static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)));

/// The bcrypt hash of `plain`.
pub(crate) async fn hash(plain: String, cost: u32) -> Result<String, ApiError> {
    in_turn(move || bcrypt::hash(plain, cost)).await?.map_err(ApiError::internal)
}

/// Whether `plain` is the password that was hashed. A text that is no hash fits nothing.
pub(crate) async fn verify(plain: String, hash: String) -> Result<bool, ApiError> {
    Ok(in_turn(move || bcrypt::verify(plain, &hash)).await?.unwrap_or(false))
}

async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let turn = tokio::time::timeout(WAIT_MAX, TURNS.acquire()).await;
    let _turn = turn.map_err(ApiError::unavailable)?.map_err(ApiError::internal)?;
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
}
