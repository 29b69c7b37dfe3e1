//! The same task in the configurations of three proxies: pass on with keep-alive, the client's
//! address, the protocol, a request id and `Via`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{Addresses, ProxyConfig, Sharing};

pub(super) fn pando(
    binary: &Path,
    config: &ProxyConfig,
    at: Addresses,
    dir: &Path,
) -> Result<Command> {
    let mut command = Command::new(binary);
    command.arg("balancer").args(["--http", &at.http.to_string()]);
    for upstream in &config.upstreams {
        command.args(["--upstream", &upstream.to_string()]);
    }
    let choice = match config.sharing {
        Sharing::RoundRobin => "round-robin",
        Sharing::LeastRequests => "least-requests",
        Sharing::TwoChoices => "peak-ewma",
    };
    let seconds = format!("{}s", config.patience_s);
    for (key, value) in [
        ("ADMIN", at.admin.to_string().as_str()),
        ("CHOICE", choice),
        ("WORKERS", &config.workers.to_string()),
        ("HEADER_TIMEOUT", &seconds),
        ("BODY_TIMEOUT", &seconds),
        ("ANSWER_TIMEOUT", &seconds),
        ("IDLE_TIMEOUT", "600s"),
        ("DRAIN_WAIT", "0s"),
    ] {
        command.env(format!("PANDO_BALANCER__{key}"), value);
    }
    if let Some((chain, key)) = &config.tls {
        let folder = dir.join("tls");
        fs::create_dir_all(&folder)?;
        fs::copy(chain, folder.join("localhost.crt"))?;
        fs::copy(key, folder.join("localhost.key"))?;
        command.args(["--https", &at.https.to_string()]);
        command.env("PANDO_BALANCER__TLS_DIR", folder);
        command.env("PANDO_BALANCER__HTTPS_REDIRECT", "false");
    }
    if config.self_signed {
        command.args(["--https", &at.https.to_string()]);
        command.env("PANDO_BALANCER__HTTPS_REDIRECT", "false");
    }
    command.envs(config.env.iter().map(|(name, value)| (name, value)));
    Ok(command)
}

pub(super) fn nginx(config: &ProxyConfig, at: Addresses, dir: &Path) -> String {
    let (workers, patience) = (config.workers, config.patience_s);
    let dir = dir.display();
    let mut text = format!(
        "worker_processes {workers};\ndaemon off;\npid {dir}/nginx.pid;\nerror_log stderr error;\n\
         events {{ worker_connections 20000; }}\nworker_rlimit_nofile 40000;\nhttp {{\n\
         access_log off;\nkeepalive_requests 1000000000;\nkeepalive_timeout 600s;\n\
         client_header_timeout {patience}s;\nclient_body_timeout {patience}s;\n"
    );
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = writeln!(text, "{kind}_temp_path {dir}/{kind};");
    }
    text.push_str("upstream pool {\n");
    text.push_str(match config.sharing {
        Sharing::RoundRobin => "",
        Sharing::LeastRequests => "least_conn;\n",
        Sharing::TwoChoices => "random two least_conn;\n",
    });
    for upstream in &config.upstreams {
        let _ = writeln!(text, "server {upstream};");
    }
    text.push_str("keepalive 512;\nkeepalive_requests 1000000000;\n}\nserver {\n");
    let _ = writeln!(text, "listen {} backlog=4096;\nlisten {} http2;", at.http, at.http2);
    if let Some((chain, key)) = &config.tls {
        let (chain, key) = (chain.display(), key.display());
        let _ = writeln!(
            text,
            "listen {} ssl http2;\nssl_certificate {chain};\nssl_certificate_key {key};\n\
             ssl_session_cache shared:S:10m;\nssl_session_tickets on;",
            at.https
        );
    }
    let _ = write!(
        text,
        "location / {{\nproxy_pass http://pool;\nproxy_http_version 1.1;\n\
         proxy_read_timeout {patience}s;\nproxy_connect_timeout 1s;\n\
         proxy_set_header Connection \"\";\nproxy_set_header Host $host;\n\
         proxy_set_header X-Forwarded-For $remote_addr;\n\
         proxy_set_header X-Real-IP $remote_addr;\n\
         proxy_set_header X-Forwarded-Proto $scheme;\n\
         proxy_set_header X-Forwarded-Host $host;\n\
         proxy_set_header X-Request-ID $request_id;\n\
         proxy_set_header Via \"$http_via, 1.1 nginx\";\n}}\n}}\n}}\n"
    );
    text
}

pub(super) fn haproxy(config: &ProxyConfig, at: Addresses, dir: &Path) -> Result<String> {
    let (workers, patience) = (config.workers, config.patience_s);
    let mut text = format!(
        "global\n  nbthread {workers}\n  maxconn 9500\n  tune.ssl.default-dh-param 2048\n\
         defaults\n  mode http\n  timeout connect 1s\n  timeout client {patience}s\n\
         \x20 timeout http-request {patience}s\n  timeout http-keep-alive 600s\n\
         \x20 timeout server {patience}s\n  option http-keep-alive\n\
         frontend clients\n  bind {}\n  bind {} proto h2\n",
        at.http, at.http2
    );
    if let Some((chain, key)) = &config.tls {
        let both = dir.join("both.pem");
        fs::write(&both, fs::read_to_string(chain)? + &fs::read_to_string(key)?)?;
        let _ = writeln!(text, "  bind {} ssl crt {} alpn h2,http/1.1", at.https, both.display());
    }
    text.push_str(
        "  unique-id-format %{+X}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid\n\
         \x20 http-request set-header X-Forwarded-For %[src]\n\
         \x20 http-request set-header X-Real-IP %[src]\n\
         \x20 http-request set-header X-Forwarded-Proto https if { ssl_fc }\n\
         \x20 http-request set-header X-Forwarded-Proto http unless { ssl_fc }\n\
         \x20 http-request set-header X-Forwarded-Host %[req.hdr(host)]\n\
         \x20 http-request set-header X-Request-ID %[unique-id]\n\
         \x20 http-request add-header Via \"1.1 haproxy\"\n\
         \x20 default_backend pool\nbackend pool\n  http-reuse always\n",
    );
    let _ = writeln!(
        text,
        "  balance {}",
        match config.sharing {
            Sharing::RoundRobin => "roundrobin",
            Sharing::LeastRequests => "leastconn",
            Sharing::TwoChoices => "random(2)",
        }
    );
    for (index, upstream) in config.upstreams.iter().enumerate() {
        let _ = writeln!(text, "  server s{index} {upstream}");
    }
    Ok(text)
}
