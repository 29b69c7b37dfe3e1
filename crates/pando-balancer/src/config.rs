//! `[balancer]`: the load balancer.

mod check;
mod kinds;

use pando_runtime::config::{ByteSize, Seconds, Secret};
use pando_runtime::config_table;

pub use kinds::{Choice, ProxyProtocol};

config_table! {
    /// The load balancer, `pando balancer`. On SIGHUP the configuration is read again; a valid one
    /// holds from the next request on. `http`, `https`, `admin`, `control` and `workers` need a new
    /// process: `pando balancer --replace`.
    pub struct BalancerConfig = "balancer" {
        /// The address of the HTTP listener, `HOST:PORT`, `:PORT` for all interfaces. With HTTPS it
        /// only redirects there, unless `https_redirect` is false. Empty: none.
        pub http: String = "127.0.0.1:8080".to_owned(),
        /// The address of the HTTPS listener. Empty: no HTTPS.
        pub https: String = String::new(),
        /// The folder with certificates: `NAME.crt` (the chain, a PEM file) beside `NAME.key`. The
        /// names in them decide which one a client gets; a client that names none gets the first.
        /// Empty: a certificate for `localhost` that nobody else trusts is made.
        pub tls_dir: String = String::new(),
        /// Whether HTTP only leads to HTTPS, if there is HTTPS.
        pub https_redirect: bool = true,
        /// The address for operators and web servers: `/status`, `/metrics`, `/healthz/ready`, and
        /// where web servers announce themselves. Never one that clients reach. Empty: none.
        pub admin: String = "127.0.0.1:8081".to_owned(),
        /// The secret that balancers and web servers share (`web.balancer_secret`), at least 16
        /// characters. Requests are passed on with it, and web servers announce themselves by it.
        /// Not set: web servers on other machines cannot announce themselves.
        pub secret: Secret = Secret::default(),
        /// The path of the socket by which `--replace` takes over the listeners.
        pub control: String = "pando_balancer.sock".to_owned(),
        /// Threads that serve. 0: one per processor.
        pub workers: u32 = 0,

        /// The web servers, each `HOST:PORT` or `https://HOST:PORT`, with ` weight=N` if it takes
        /// N times the work of others. All addresses of a host name are used, and looked up again
        /// each `resolve_interval`. Web servers that announce themselves need not stand here.
        pub upstreams: Vec<String> = Vec::new(),
        /// How often host names are looked up.
        pub resolve_interval: Seconds = Seconds::new(10),
        /// A PEM file with the certificates of those who sign for `https://` upstreams. Empty:
        /// those whom the system trusts.
        pub upstream_tls_ca: String = String::new(),
        /// The PROXY protocol on connections to upstreams: `off`, `v1` or `v2`. Each client then
        /// has connections of its own.
        pub upstream_proxy_protocol: ProxyProtocol = ProxyProtocol::Off,
        /// How an upstream is chosen. `peak-ewma`: of two random ones the one with less latency
        /// times requests in flight. `least-requests`: the one with the fewest in flight.
        /// `round-robin`: in turn. `hash`: the same one for the same `hash_key`, unless it has a
        /// quarter more than its share.
        pub choice: Choice = Choice::PeakEwma,
        /// What `hash` goes by: `client`, `path`, `header:NAME` or `cookie:NAME`.
        pub hash_key: String = "client".to_owned(),

        /// Proxies in front of this balancer, addresses or networks such as `10.0.0.0/8`. What
        /// they say about the client (`X-Forwarded-For` and the like) is believed and continued;
        /// what others say is dropped.
        pub trusted_proxies: Vec<String> = Vec::new(),
        /// Addresses or networks whose connections begin with the PROXY protocol, version 1 or 2.
        pub proxy_protocol_from: Vec<String> = Vec::new(),

        /// The path of the active checks; an upstream passes with a status from 200 to 399.
        /// Empty: no checks.
        pub check_path: String = "/api/pando/ready".to_owned(),
        /// The time between two checks of an upstream, give or take a fifth.
        pub check_interval: Seconds = Seconds::new(2),
        pub check_timeout: Seconds = Seconds::new(1),
        /// So many failed checks in a row take an upstream out.
        pub check_fall: u32 = 3,
        /// So many passed checks in a row bring it back.
        pub check_rise: u32 = 2,
        /// So many failed requests in a row (no connection, no answer, 502, 503, 504) take an
        /// upstream out, whatever its checks say. 0: never.
        pub eject_failures: u32 = 5,
        /// The share of failed requests in `eject_window`, in percent, that takes an upstream out.
        pub eject_percent: u32 = 50,
        pub eject_window: Seconds = Seconds::new(10),
        /// Fewer requests in the window say nothing.
        pub eject_requests_min: u32 = 20,
        /// The first time an upstream is out for that long, the second time twice as long, and so
        /// on. At most three of ten are out at once (a tenth of more), and never so many that
        /// fewer than two are left.
        pub eject_time: Seconds = Seconds::new(30),
        pub eject_time_max: Seconds = Seconds::new(300),
        /// Below this share of healthy upstreams, in percent, all are asked: then it is likely the
        /// checks that are wrong. Those where nobody listens are not. 0: never.
        pub panic_percent: u32 = 50,
        /// A new upstream gets a tenth of its share at first, and all of it after this time.
        pub slow_start: Seconds = Seconds::new(30),

        /// Further tries of a request on other upstreams. One that could not be sent is tried
        /// again in any case; one that may have been received only if its method is idempotent.
        pub retries_max: u32 = 2,
        /// Retries as a share of the requests of the last ten seconds, in percent.
        pub retry_budget_percent: u32 = 20,
        /// And so many retries a second in any case.
        pub retry_budget_per_second: u32 = 3,
        /// The longest pause before the first retry; it doubles, and a random part of it is taken.
        pub retry_backoff: Seconds = Seconds::millis(25),
        /// Bodies up to this size are read before an upstream is asked, and can be sent again.
        pub replay_max: ByteSize = ByteSize::kib(64),

        /// Requests in flight at once; events and WebSockets do not count once they have begun.
        pub in_flight_max: u32 = 1_024,
        /// Requests that wait when there are more; further ones are answered 503.
        pub waiting_max: u32 = 1_024,
        pub waiting_time_max: Seconds = Seconds::new(1),
        /// Whether an upstream whose latency grows is given fewer requests at once.
        pub adaptive_concurrency: bool = true,
        /// Requests in flight that an upstream may always have.
        pub concurrency_min: u32 = 32,

        /// How long an upstream may take to accept a connection.
        pub connect_timeout: Seconds = Seconds::new(1),
        /// How long a client or an upstream may take to agree on keys.
        pub tls_timeout: Seconds = Seconds::new(2),
        /// How long a client may take to send the head of a request.
        pub header_timeout: Seconds = Seconds::new(10),
        /// How long a client may send nothing of a body, or take nothing of an answer.
        pub body_timeout: Seconds = Seconds::new(30),
        /// How long a connection of a client may be open without a request.
        pub idle_timeout: Seconds = Seconds::new(60),
        /// How long an upstream may take to begin an answer.
        pub answer_timeout: Seconds = Seconds::new(30),
        /// No further try begins after that time.
        pub request_timeout: Seconds = Seconds::new(60),
        /// How long an answer that has begun, events among them, or a WebSocket may be silent.
        pub stream_timeout: Seconds = Seconds::new(3_600),
        /// How long a connection to an upstream is kept without a request. Stay below the
        /// upstream's own time, so that it is never the one that closes.
        pub upstream_idle_timeout: Seconds = Seconds::new(55),

        /// The largest request line and headers together.
        pub headers_max: ByteSize = ByteSize::kib(32),
        /// The most connections of clients at once; further ones wait to be accepted.
        pub connections_max: u32 = 20_000,
        /// The most connections of one client (of one /64 network in version 6). 0: no limit.
        pub connections_per_client: u32 = 1_000,
        /// Requests a second that one client may make in the long run. 0: no limit.
        pub rate_per_second: u32 = 100,
        /// Requests that it may make at once.
        pub rate_burst: u32 = 200,
        /// Clients without these limits: addresses or networks.
        pub unlimited_clients: Vec<String> = [
            "127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",
        ].map(str::to_owned).to_vec(),
        /// The memory above 90% of which the least urgent requests are refused. 0: what the
        /// control group allows, or the machine has.
        pub memory_max: ByteSize = ByteSize(0),

        /// Told to stop, the balancer first says for so long that it is not ready, so that those
        /// who send it connections stop before it does. `drain.timeout` comes after that.
        pub drain_wait: Seconds = Seconds::new(5),
    }
}

#[cfg(test)]
mod tests;
