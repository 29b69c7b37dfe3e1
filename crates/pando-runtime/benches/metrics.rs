//! What an observation costs: `cargo bench -p pando-runtime`. The bar is 50 ns.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{hint::black_box, time::Instant};

use pando_runtime::metrics::{Buckets, registry};

const ROUNDS: u32 = 20_000_000;

fn main() {
    let counter = registry().counter("bench_total", "Counted.", &[]);
    let gauge = registry().gauge("bench", "Now.", &[]);
    let histogram = registry().histogram("bench_seconds", "Took.", Buckets::LATENCY, &[]);
    measure("counter", |_| counter.increment());
    measure("gauge", |i| gauge.add(i64::from(i)));
    measure("histogram", |i| histogram.observe(u64::from(i)));
}

fn measure(name: &str, mut observe: impl FnMut(u32)) {
    let start = Instant::now();
    for i in 0..ROUNDS {
        observe(black_box(i));
    }
    let nanoseconds = start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS);
    println!("{name}: {nanoseconds:.1} ns");
}
