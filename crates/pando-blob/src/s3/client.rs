//! Sends signed requests to the server of a bucket, again where that makes sense.
//!
//! Invariants: every wait has an end; a request is sent at most [`ATTEMPTS_MAX`] times, and only if
//! it can be repeated, which all that we send can; what is logged or told never holds the secret or
//! a signature.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rand::Rng;
use time::OffsetDateTime;

use super::config::{Address, query};
use super::sign::{Signed, amz_date, authorization, sha256_hex};
use super::{S3Config, S3Error, xml};

/// The slowest upload that is waited for: 1 Mbit/s.
const UPLOAD_BYTES_PER_SECOND_MIN: u64 = 128 << 10;
const ATTEMPTS_MAX: u32 = 4;
/// The pause before the second attempt; four times as long before each further one.
const PAUSE: Duration = Duration::from_millis(100);
/// Amazon puts large objects together while it answers, which takes minutes.
const COMPLETION_PATIENCE: u32 = 20;
/// Longest answer that is read as a text: a list of 1,000 keys has up to 2 MiB.
const TEXT_BYTES_MAX: usize = 8 << 20;
/// How much of what a server says about a refusal is told.
const MESSAGE_BYTES_MAX: usize = 300;
/// Servers close connections after about a minute.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_CONNECTIONS_MAX: usize = 32;

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub connection: Duration,
    /// How long an answer may take to begin. Deleting and listing are the slowest.
    pub answer: Duration,
    /// How long the next piece of an answer may take.
    pub piece: Duration,
    /// No attempt begins later: a client waits at the other end.
    pub attempts: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            connection: Duration::from_secs(5),
            answer: Duration::from_secs(15),
            piece: Duration::from_secs(15),
            attempts: Duration::from_secs(20),
        }
    }
}

/// A connection pool to the server of one bucket.
pub(super) struct Client {
    config: S3Config,
    patience: Patience,
    pub(super) address: Address,
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// A request before it is signed.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Empty for the bucket itself.
    pub(super) key: &'a str,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    /// Whether the server has to put parts together before it answers.
    pub(super) completes: bool,
}

impl Call<'_> {
    pub(super) fn new(method: Method, key: &str) -> Call<'_> {
        let (query, headers, body) = (Vec::new(), Vec::new(), Bytes::new());
        Call { method, key, query, headers, body, completes: false }
    }

    /// How long the answer may take to begin.
    fn within(&self, patience: Patience) -> Duration {
        let sending = self.body.len() as u64 / UPLOAD_BYTES_PER_SECOND_MIN;
        let answer = patience.answer * if self.completes { COMPLETION_PATIENCE } else { 1 };
        answer + Duration::from_secs(sending)
    }
}

impl Client {
    pub(super) fn new(config: &S3Config, patience: Patience) -> Result<Client, S3Error> {
        let address = Address::of(config)?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(patience.connection));
        let tls = match address.encrypted {
            true => {
                HttpsConnectorBuilder::new().with_native_roots().map_err(S3Error::Certificates)?
            }
            // No certificate is looked at.
            false => HttpsConnectorBuilder::new().with_tls_config(
                rustls::ClientConfig::builder()
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth(),
            ),
        };
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(tls.https_or_http().enable_http1().wrap_connector(tcp));
        Ok(Client { config: config.clone(), patience, address, http })
    }

    pub(super) fn config(&self) -> &S3Config {
        &self.config
    }

    /// Sends a request and reads the whole answer. Fails with `Refused` if it is no success.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Response<Bytes>, S3Error> {
        let mut attempts = self.attempts();
        loop {
            let outcome = match self.attempt(call).await {
                Ok(answer) => {
                    let (head, body) = answer.into_parts();
                    self.read(body).await.map(|body| Response::from_parts(head, body))
                }
                Err(error) => Err(error),
            };
            match outcome {
                Err(error) if attempts.another(&error).await => {}
                outcome => return outcome,
            }
        }
    }

    /// Sends a request once; the answer's body is still to be read. Fails with `Refused` if it is no
    /// success.
    pub(super) async fn attempt(&self, call: &Call<'_>) -> Result<Response<Incoming>, S3Error> {
        let within = call.within(self.patience);
        let answer = tokio::time::timeout(within, self.http.request(self.signed(call))).await;
        let answer = answer
            .map_err(|_elapsed| S3Error::Timeout { host: self.host(), within })?
            .map_err(|source| self.broken(source))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (status, body) = (answer.status(), answer.into_body());
        // What a server says about a refusal is only words.
        let text = self.read(body).await.unwrap_or_default();
        Err(self.refusal(status, &String::from_utf8_lossy(&text)))
    }

    fn signed(&self, call: &Call<'_>) -> Request<Full<Bytes>> {
        let (path, query) = (self.address.path(call.key), query(&call.query));
        let (now, hash) = (OffsetDateTime::now_utc(), sha256_hex(&call.body));
        let date = amz_date(now);
        let mut headers: Vec<(&str, &str)> = vec![
            ("host", &self.address.host),
            ("x-amz-content-sha256", &hash),
            ("x-amz-date", &date),
        ];
        let own = call.headers.iter();
        headers.extend(own.map(|(name, value)| (name.as_str(), value.to_str().unwrap_or(""))));
        headers.sort_unstable();
        let to_sign = Signed {
            method: call.method.as_str(),
            path: &path,
            query: &query,
            headers: &headers,
            payload_hash: &hash,
        };
        let authorization = authorization(&self.config, now, &to_sign);
        let (scheme, host) = (self.address.scheme(), &self.address.host);
        let question = if query.is_empty() { "" } else { "?" };
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{scheme}://{host}{path}{question}{query}"))
            // Some servers compress, and then tell neither length nor range.
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::AUTHORIZATION, authorization);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        request.body(Full::new(call.body.clone())).expect("all parts are encoded or checked")
    }

    /// The whole body of an answer.
    pub(super) async fn read(&self, body: Incoming) -> Result<Bytes, S3Error> {
        let mut body = Limited::new(body, TEXT_BYTES_MAX);
        let mut all = BytesMut::new();
        loop {
            let piece = self.piece_of(&mut body).await?;
            let Some(piece) = piece else { return Ok(all.freeze()) };
            let piece =
                piece.map_err(|source| S3Error::Connection { host: self.host(), source })?;
            if let Some(data) = piece.data_ref() {
                all.extend_from_slice(data);
            }
        }
    }

    fn refusal(&self, status: StatusCode, text: &str) -> S3Error {
        let mut message = xml::text(text, "Message").unwrap_or_default();
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        let code = xml::text(text, "Code")
            .unwrap_or_else(|| status.canonical_reason().unwrap_or("an unknown status").to_owned());
        S3Error::Refused { host: self.host(), status: status.as_u16(), code, message }
    }

    /// An answer of success that tells of a failure in its text, as some of Amazon's do.
    pub(super) fn checked(&self, text: &str) -> Result<(), S3Error> {
        match xml::elements(text, "Error").next() {
            Some(_) => Err(self.refusal(StatusCode::INTERNAL_SERVER_ERROR, text)),
            None => Ok(()),
        }
    }

    pub(super) fn malformed(&self, what: &'static str) -> S3Error {
        S3Error::Malformed { host: self.host(), what }
    }

    pub(super) fn broken(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> S3Error {
        S3Error::Connection { host: self.host(), source: source.into() }
    }

    /// The next piece of an answer.
    pub(super) async fn piece_of<B: Body + Unpin>(
        &self,
        body: &mut B,
    ) -> Result<Option<Result<Frame<B::Data>, B::Error>>, S3Error> {
        let within = self.patience.piece;
        let piece = tokio::time::timeout(within, body.frame()).await;
        piece.map_err(|_elapsed| S3Error::Timeout { host: self.host(), within })
    }

    pub(super) fn attempts(&self) -> Attempts {
        Attempts { count: 1, since: Instant::now(), patience: self.patience.attempts }
    }

    fn host(&self) -> String {
        self.address.host.clone()
    }
}

/// Decides whether a request is sent again.
pub(super) struct Attempts {
    count: u32,
    since: Instant,
    patience: Duration,
}

impl Attempts {
    /// After a failure: waits and says yes, or says no.
    pub(super) async fn another(&mut self, error: &S3Error) -> bool {
        let late = self.count == ATTEMPTS_MAX || self.since.elapsed() > self.patience;
        if late || !error.is_temporary() {
            return false;
        }
        let pause = PAUSE * 4_u32.pow(self.count - 1);
        self.count += 1;
        tracing::debug!(%error, ?pause, "asking the bucket again");
        // Not all at once.
        let pause = pause.mul_f64(rand::rng().random_range(0.5..1.0));
        tokio::time::sleep(pause).await;
        true
    }
}
