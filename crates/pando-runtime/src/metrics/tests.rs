use std::time::Duration;

use expect_test::expect;

use super::{Buckets, Registry, registry};

#[test]
fn counters_and_gauges() {
    let registry = Registry::default();
    let get = registry.counter("http_requests_total", "Requests.", &[("method", "GET")]);
    let post = registry.counter("http_requests_total", "Requests.", &[("method", "POST")]);
    let open = registry.gauge("connections", "Open connections.", &[]);
    get.increment();
    get.add(2);
    post.increment();
    open.add(5);
    open.add(-6);
    let expect = expect![[r#"
        # HELP connections Open connections.
        # TYPE connections gauge
        connections -1
        # HELP http_requests_total Requests.
        # TYPE http_requests_total counter
        http_requests_total{method="GET"} 3
        http_requests_total{method="POST"} 1
    "#]];
    expect.assert_eq(&registry.render());
}

#[test]
fn the_same_labels_are_the_same_series() {
    let registry = Registry::default();
    registry.counter("a_total", "A.", &[("x", "1")]).increment();
    registry.counter("a_total", "A.", &[("x", "1")]).increment();
    assert_eq!(registry.counter("a_total", "A.", &[("x", "1")]).value(), 2);
}

#[test]
fn buckets_hold_what_is_at_most_their_bound() {
    const BOUNDS: Buckets = Buckets::seconds(&[1_000_000, 1_000_000_000]);
    let registry = Registry::default();
    let took = registry.histogram("took_seconds", "Time.", BOUNDS, &[("op", "list")]);
    took.observe(0);
    took.observe_duration(Duration::from_millis(1));
    took.observe_duration(Duration::from_millis(2));
    took.observe_duration(Duration::from_secs(2));
    let sizes = registry.histogram("sizes", "Sizes.", Buckets::plain(&[10]), &[]);
    sizes.observe(11);
    let expect = expect![[r#"
        # HELP sizes Sizes.
        # TYPE sizes histogram
        sizes_bucket{le="10"} 0
        sizes_bucket{le="+Inf"} 1
        sizes_sum 11
        sizes_count 1
        # HELP took_seconds Time.
        # TYPE took_seconds histogram
        took_seconds_bucket{op="list",le="0.001"} 2
        took_seconds_bucket{op="list",le="1"} 3
        took_seconds_bucket{op="list",le="+Inf"} 4
        took_seconds_sum{op="list"} 2.003
        took_seconds_count{op="list"} 4
    "#]];
    expect.assert_eq(&registry.render());
}

#[test]
fn label_values_and_help_are_escaped() {
    let registry = Registry::default();
    registry.gauge("g", "One\nline \\.", &[("v", "a\"b\\c\nd")]).set(1);
    let expect = expect![[r#"
        # HELP g One\nline \\.
        # TYPE g gauge
        g{v="a\"b\\c\nd"} 1
    "#]];
    expect.assert_eq(&registry.render());
}

#[test]
#[should_panic(expected = "a_total is no gauge")]
fn a_name_has_one_kind() {
    let registry = Registry::default();
    registry.counter("a_total", "A.", &[]);
    registry.gauge("a_total", "A.", &[]);
}

#[test]
fn the_process_shows_itself() {
    let text = registry().render();
    for name in [
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
        "process_threads",
        "process_start_time_seconds",
    ] {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).expect(name);
        let value: f64 = line[name.len() + 1..].parse().unwrap();
        assert!(value > 0.0, "{line}");
    }
}
