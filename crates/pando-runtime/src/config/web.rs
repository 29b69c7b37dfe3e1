//! `[web]`: the application server.

use super::{ByteSize, Origin, Origins, Problems, Seconds, Secret, Table};

crate::config_table! {
    /// The application server: API, realtime, files and static site.
    pub struct WebConfig = "web" {
        /// The address of the HTTP listener, `HOST:PORT`; port 0 takes a free one. With HTTPS it
        /// only redirects there.
        pub http: String = "127.0.0.1:8090".to_owned(),
        /// The address of the HTTPS listener. Empty: no HTTPS.
        pub https: String = String::new(),
        /// The host names under which the server is reached; the first is its main one. When
        /// given, `http` and `https` default to ports 80 and 443 of all interfaces.
        pub domains: Vec<String> = Vec::new(),
        /// The certificate chain for HTTPS, a PEM file. Read again on SIGHUP.
        pub tls_cert: String = String::new(),
        /// The private key of the certificate, a PEM file. Read again on SIGHUP.
        pub tls_key: String = String::new(),
        /// The origins whose pages may use the API (CORS), `*` for all.
        pub origins: Vec<String> = vec!["*".to_owned()],
        /// The folder with the static site. Nothing is served if it does not exist.
        pub public_dir: String = "pando_public".to_owned(),
        /// Whether a missing static path is answered with `index.html`, as single-page apps need.
        pub index_fallback: bool = true,
        /// Whether answers are compressed for clients that accept it. PocketBase leaves that to a
        /// proxy; it costs CPU and saves bandwidth.
        pub gzip: bool = false,
        /// The largest request body. When a record is written, what its fields may hold is added.
        pub body_max: ByteSize = ByteSize::mib(32),
        /// The largest request line and headers together.
        pub headers_max: ByteSize = ByteSize::mib(1),
        /// How long a client may take to send the headers of a request.
        pub header_timeout: Seconds = Seconds::new(60),
        /// How long a client may take to send the body of a request.
        pub body_timeout: Seconds = Seconds::new(300),
        /// How long a connection may stay open without a request.
        pub idle_timeout: Seconds = Seconds::new(300),
        /// How long a realtime connection may stay open without an event. The client then
        /// reconnects.
        pub realtime_idle_timeout: Seconds = Seconds::new(300),
        /// The most connections at once; further ones wait to be accepted.
        pub connections_max: u32 = 20_000,
        /// The admin listeners of load balancers, `HOST:PORT`, at which this server announces itself
        /// and says goodbye. Needs `balancer_secret`.
        pub balancers: Vec<String> = Vec::new(),
        /// The secret that balancers and web servers share (`balancer.secret`). When set, only
        /// requests with it are answered, those of balancers; what they say about their clients
        /// is believed.
        pub balancer_secret: Secret = Secret::default(),
        /// Where balancers reach this server, `HOST:PORT` or `https://HOST:PORT`. Empty: where it
        /// listens; if that is all interfaces, at the address from which it announces itself.
        pub advertise: String = String::new(),
        /// Told to stop, a server behind balancers serves on for so long if it could not say
        /// goodbye to them: until their checks have seen that it will stop.
        pub goodbye_wait: Seconds = Seconds::new(5),
        /// The bearer token that `/metrics` asks for. Not set: `/metrics` answers only programs
        /// on the same machine, and only if the server listens on a loopback address.
        pub metrics_token: Secret = Secret::default(),
    }
}

impl WebConfig {
    /// The addresses of a `HOST:PORT` setting.
    pub fn addresses(setting: &str) -> std::io::Result<Vec<std::net::SocketAddr>> {
        Ok(std::net::ToSocketAddrs::to_socket_addrs(setting)?.collect())
    }
}

impl Table for WebConfig {
    /// As PocketBase's `serve DOMAIN`: the usual ports on all interfaces.
    fn settle(&mut self, origins: &Origins) {
        if self.domains.is_empty() {
            return;
        }
        if *origins.of("web.http") == Origin::Default {
            self.http = "0.0.0.0:80".to_owned();
        }
        if *origins.of("web.https") == Origin::Default {
            self.https = "0.0.0.0:443".to_owned();
        }
    }

    fn check(&self, problems: &mut Problems) {
        check_address(problems, "web.http", &self.http);
        if !self.https.is_empty() {
            check_address(problems, "web.https", &self.https);
            check_certificate(problems, self);
        } else if self.http.is_empty() {
            problems.add("web.http", "must not be empty when web.https is");
        }
        for (key, size, min) in [
            ("web.body_max", self.body_max, ByteSize::kib(1)),
            // Below, hyper refuses the setting.
            ("web.headers_max", self.headers_max, ByteSize::kib(8)),
        ] {
            if size < min {
                problems.add(key, format!("must be at least {min}"));
            }
        }
        for (key, timeout) in [
            ("web.header_timeout", self.header_timeout),
            ("web.body_timeout", self.body_timeout),
            ("web.idle_timeout", self.idle_timeout),
            ("web.realtime_idle_timeout", self.realtime_idle_timeout),
        ] {
            if timeout < Seconds::new(1) {
                problems.add(key, "must be at least 1s");
            }
        }
        if self.connections_max == 0 {
            problems.add("web.connections_max", "must be at least 1");
        }
        for (index, balancer) in self.balancers.iter().enumerate() {
            check_address(problems, "web.balancers", balancer);
            if self.balancers[..index].contains(balancer) {
                problems.add("web.balancers", format!("has {balancer:?} twice"));
            }
        }
        if !self.balancers.is_empty() && self.balancer_secret.is_empty() {
            let problem = problems.add("web.balancer_secret", "must be set with web.balancers");
            problem.hint("the same as balancer.secret; openssl rand -hex 32 makes one");
        }
        if self.origins.is_empty() {
            problems.add("web.origins", "must not be empty").hint("[\"*\"] allows all origins");
        }
    }
}

fn check_address(problems: &mut Problems, key: &str, setting: &str) {
    let port = setting.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    if !setting.is_empty() && !matches!(port, Some(Ok(_))) {
        let problem = problems.add(key, format!("must be HOST:PORT, not {setting:?}"));
        problem.hint("for example \"127.0.0.1:8090\"; \"0.0.0.0:8090\" for all interfaces");
    }
}

fn check_certificate(problems: &mut Problems, web: &WebConfig) {
    for (key, path) in [("web.tls_cert", &web.tls_cert), ("web.tls_key", &web.tls_key)] {
        if path.is_empty() {
            let problem = problems.add(key, "must be set for HTTPS");
            problem.hint("the path of a PEM file, for example one that certbot keeps up to date");
        }
    }
}
