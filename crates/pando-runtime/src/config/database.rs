//! `[database]`: a PostgreSQL server for the records, in place of SQLite in the data directory.

use super::{Problems, Seconds, Secret, Table};

/// The two spellings of the scheme that libpq knows.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

const CONNECTIONS_MAX: u32 = 1_000;

const EXAMPLE: &str = "such as postgres://user:password@host:5432/name";

crate::config_table! {
    /// Where the records live if not in SQLite. Files: see `[files]`.
    pub struct DatabaseConfig = "database" {
        /// A database on PostgreSQL 15 or later: `postgres://user:password@host:port/name`. Empty:
        /// SQLite in the data directory. Letters such as `@` and `/` in the password are written
        /// `%40` and `%2F`; the directory of a local socket, so written, can stand for the host.
        /// `?sslmode=require` demands TLS.
        pub url: Secret = Secret::default(),
        /// How many connections to the server at most, for requests; two more are for what servers
        /// tell each other. `store.read_wait_max` is how long a request waits for one.
        pub connections: u32 = 20,
        /// How long requests wait for a server that is away, as one that restarts or fails over.
        /// Then they are answered 503 with `Retry-After`.
        pub hold_timeout: Seconds = Seconds::new(30),
    }
}

impl Table for DatabaseConfig {
    fn check(&self, problems: &mut Problems) {
        if !self.url.is_empty() {
            check_url(problems, self.url.reveal());
        }
        if !(1..=CONNECTIONS_MAX).contains(&self.connections) {
            let message = format!("must be from 1 to {CONNECTIONS_MAX}");
            let problem = problems.add("database.connections", message);
            problem.hint("the server's own limit is max_connections, 100 if nobody changed it");
        }
    }
}

/// The rest of the URL is judged by the library that connects. No message may show any of it.
fn check_url(problems: &mut Problems, url: &str) {
    const KEY: &str = "database.url";
    let Some(rest) = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme)) else {
        problems.add(KEY, "must begin with postgres:// or postgresql://").hint(EXAMPLE);
        return;
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, _) = place.split_once('/').unwrap_or((place, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let named_by_query = || query.split('&').any(|pair| pair.starts_with("host="));
    if host.is_empty() && !named_by_query() {
        problems.add(KEY, "must name the server").hint(EXAMPLE);
    }
}
