use expect_test::{Expect, expect};

use super::*;

const POLICY: ScalePolicy = ScalePolicy {
    target: 10.0,
    min: 1,
    max: 20,
    spare: 0,
    window: Duration::from_secs(30),
    panic_window: Duration::from_secs(6),
    panic_hold: Duration::from_secs(60),
    down_window: Duration::from_secs(300),
    down_period: Duration::from_secs(60),
    up_period: Duration::from_secs(15),
    idle: Duration::from_secs(300),
};

/// Runs `(seconds, requests, failing)` phases, one look each two seconds, instances following at
/// once; shows each change with its second.
#[track_caller]
fn check(policy: ScalePolicy, phases: &[(u64, f64, bool)], expect: Expect) {
    let mut scaler = Scaler::default();
    let mut instances = policy.min;
    let mut shown = instances.to_string();
    let mut second = 0;
    for &(seconds, requests, failing) in phases {
        for _ in 0..seconds / 2 {
            let demand = Demand { requests, instances, failing };
            let action = scaler.observe(demand, Duration::from_secs(second), &policy);
            assert!(action.desired <= policy.max && action.desired >= policy.min);
            if action.desired != instances {
                instances = action.desired;
                let panic = if action.panic { "!" } else { "" };
                shown.push_str(&format!(" {second}s:{instances}{panic}"));
            }
            second += 2;
        }
    }
    expect.assert_eq(&shown);
}

#[test]
fn doubles_doubles_halves() {
    let phases = [(60, 20.0, false), (120, 40.0, false), (120, 80.0, false), (900, 40.0, false)];
    check(
        POLICY,
        &phases,
        expect!["1 0s:2! 62s:3 90s:4 182s:5 194s:6 210s:7 256s:8 608s:7 620s:6 640s:5"],
    );
}

#[test]
fn a_sudden_crowd_is_a_panic() {
    check(
        POLICY,
        &[(60, 9.0, false), (60, 150.0, false), (600, 5.0, false)],
        expect![
            "1 60s:5! 76s:10! 92s:15! 420s:13 422s:12 424s:11 428s:10 430s:9 434s:8 438s:7 480s:3 540s:1"
        ],
    );
}

#[test]
fn nothing_shrinks_while_things_fail() {
    check(
        POLICY,
        &[(60, 40.0, false), (900, 5.0, true), (900, 5.0, false)],
        expect!["1 0s:4! 960s:2 1020s:1"],
    );
}

#[test]
fn small_differences_are_none() {
    check(
        POLICY,
        &[(300, 40.0, false), (300, 43.0, false), (600, 37.0, false)],
        expect!["1 0s:4!"],
    );
}

#[test]
fn to_zero_and_back() {
    let policy = ScalePolicy { min: 0, ..POLICY };
    check(policy, &[(20, 5.0, false), (400, 0.0, false), (20, 1.0, false)], expect!["0 0s:1"]);
}

#[test]
fn a_spare_one_stands_by() {
    check(ScalePolicy { spare: 1, ..POLICY }, &[(300, 30.0, false)], expect!["1 0s:4!"]);
}
