use expect_test::expect;
use pando_runtime::config::{Layers, Sources};

use super::BalancerConfig;

fn problems(pairs: &[(&str, &str)]) -> String {
    let mut sources = Sources::empty();
    for (key, value) in pairs {
        sources = sources.with_env(&format!("PANDO_BALANCER__{}", key.to_uppercase()), value);
    }
    let mut layers = Layers::read(&sources);
    let _: BalancerConfig = layers.table();
    layers.finish().map_or_else(|problems| problems.to_string(), |_| "valid".to_owned())
}

#[test]
fn the_defaults_are_valid() {
    assert_eq!(problems(&[]), "valid");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let told = problems(&[
        ("http", "8080"),
        ("upstreams", "10.0.0.1:80, 10.0.0.1:80, nowhere"),
        ("trusted_proxies", "10.0.0.0/33"),
        ("secret", "short"),
        ("hash_key", "colour"),
        ("answer_timeout", "0s"),
        ("panic_percent", "101"),
        ("headers_max", "1 KiB"),
        ("choice", "best"),
    ]);
    expect![[r#"
        10 problems in the configuration
          balancer.choice must be "peak-ewma", "round-robin", "least-requests" or "hash", not "best" (environment PANDO_BALANCER__CHOICE)
          balancer.http must be HOST:PORT, not "8080" (environment PANDO_BALANCER__HTTP)
            hint: for example "127.0.0.1:8080"; ":80" for all interfaces
          balancer.upstreams has "10.0.0.1:80" twice (environment PANDO_BALANCER__UPSTREAMS)
          balancer.upstreams has "nowhere", which must be HOST:PORT or https://HOST:PORT (environment PANDO_BALANCER__UPSTREAMS)
            hint: for example ["10.0.0.5:8090", "10.0.0.6:8090 weight=2"]
          balancer.hash_key is not understood: "colour" (environment PANDO_BALANCER__HASH_KEY)
            hint: "client", "path", "header:NAME" or "cookie:NAME"
          balancer.answer_timeout must not be 0 (environment PANDO_BALANCER__ANSWER_TIMEOUT)
          balancer.panic_percent must not be more than 100 (environment PANDO_BALANCER__PANIC_PERCENT)
          balancer.headers_max must be from 8 KiB to 1 MiB (environment PANDO_BALANCER__HEADERS_MAX)
          balancer.trusted_proxies has "10.0.0.0/33", which is no network (environment PANDO_BALANCER__TRUSTED_PROXIES)
            hint: for example "10.0.0.0/8", "192.0.2.7" or "2001:db8::/32"
          balancer.secret must have at least 16 characters (environment PANDO_BALANCER__SECRET)
            hint: openssl rand -hex 32 makes one"#]].assert_eq(&told);
}
