mod plant;
mod story;
mod world;

use std::collections::BTreeSet;

use expect_test::{Expect, expect};

use super::{Rules, check};
use crate::FaultKind;
use plant::Plant;
use story::Story;
use world::World;

const STRICT: Rules = Rules { linearizable: true, every_event: true };
const LOOSE: Rules = Rules { linearizable: false, every_event: false };

/// The faults of a story under the strict rules, one a line; `[loose]` marks those that are faults
/// under the loose ones, too.
#[track_caller]
fn finds(story: Story, expected: Expect) {
    let history = story.history();
    let loose: BTreeSet<String> =
        check(&history, LOOSE).faults.iter().map(|fault| fault.text.clone()).collect();
    let mut lines = String::new();
    for fault in check(&history, STRICT).faults {
        let mark = if loose.contains(&fault.text) { " [loose]" } else { "" };
        lines.push_str(&format!("{fault}{mark}\n"));
    }
    expected.assert_eq(&lines);
}

#[test]
fn a_plain_story_is_clean() {
    let story = Story::new()
        .write(1, 0, 10, "create 1.1")
        .read(2, 3, 5, "1.1 -")
        .write(1, 20, 30, "set 1.1 2")
        .read(2, 22, 24, "1.1 2")
        .read(1, 31, 32, "1.1 2")
        .write(1, 40, 50, "delete 1.1")
        .read(2, 45, 46, "1.1 2")
        .read(2, 51, 52, "1.1 -")
        .last(60, "");
    finds(story, expect![""]);
}

#[test]
fn an_acknowledged_write_must_stay() {
    let story = Story::new()
        .write(1, 0, 10, "create 1.1")
        .write(1, 20, 30, "set 1.1 2")
        .write(1, 40, 50, "create 1.2")
        .write(1, 60, 70, "create 1.3")
        .write(1, 80, 90, "delete 1.3")
        .last(100, "1.1 1, 1.3 1");
    finds(
        story,
        expect![[r#"
            lost: no record 1.2 in the end; version 1 was acknowledged at 50.000 s [loose]
            lost: version 1 of record 1.1 in the end; version 2 was acknowledged at 30.000 s [loose]
            lost: version 1 of record 1.3 in the end; its deletion was acknowledged at 90.000 s [loose]
        "#]],
    );
}

#[test]
fn what_was_seen_must_stay_too() {
    let story = Story::new()
        .write(1, 0, 10, "create 1.1")
        .write(1, 20, 30, "set 1.1 2 ?")
        .read(2, 32, 33, "1.1 2")
        .last(100, "1.1 1");
    finds(
        story,
        expect![[r#"
            lost: version 1 of record 1.1 in the end; version 2 had been seen before [loose]
        "#]],
    );
}

#[test]
fn an_unknown_write_may_be_there_or_not() {
    for last in ["1.1 1, 1.2 1", "1.1 2", "1.1 1"] {
        let story = Story::new()
            .write(1, 0, 10, "create 1.1")
            .write(1, 20, 30, "set 1.1 2 ?")
            .write(1, 40, 50, "create 1.2 ?")
            .read(1, 60, 61, "1.1 1")
            .last(100, last);
        finds(story, expect![""]);
    }
}

#[test]
fn nothing_happens_twice() {
    let story = Story::new()
        .write(1, 0, 10, "create 1.1")
        .write(1, 20, 30, "add 7 1")
        .write(1, 40, 50, "add 7 3")
        .write(1, 60, 70, "add 8 ?")
        .last(100, "1.1 1, 1.1 1, #7 3, #8 2");
    finds(
        story,
        expect![[r#"
            doubled: session 1 saw counter 7 at 3 at 50.000 s; increments sent by then: 2 [loose]
            doubled: 2 records in the end at 101.000 s come from the one creation of 1.1 [loose]
            doubled: counter 7 is 3 in the end; increments sent: 2 [loose]
            doubled: counter 8 is 2 in the end; increments sent: 1 [loose]
        "#]],
    );
}

#[test]
fn increments_do_not_overwrite_each_other() {
    let story = Story::new()
        .write(1, 0, 10, "add 7 1")
        .write(2, 1, 11, "add 7 1")
        .write(1, 20, 30, "add 7 2")
        .read(3, 31, 32, "#7 1")
        .last(100, "#7 2");
    finds(
        story,
        expect![[r#"
            lost: two increments of counter 7 were answered with 1, at 10.000 s and at 11.000 s [loose]
            lost: session 1 saw counter 7 at 2 from 20.000 s to 30.000 s; increments acknowledged before: 2, highest seen before: 1 [loose]
            stale: session 3 saw counter 7 at 1 from 31.000 s to 32.000 s; increments acknowledged before: 3, highest seen before: 2
            lost: counter 7 is 2 in the end; increments acknowledged: 3 [loose]
        "#]],
    );
}

#[test]
fn nobody_reads_less_than_he_knows() {
    let story = Story::new()
        .write(1, 0, 10, "create 1.1")
        .write(1, 20, 30, "set 1.1 2")
        .read(1, 31, 32, "1.1 1")
        .read(2, 40, 41, "1.1 2")
        .read(2, 42, 43, "1.1 1")
        .read(2, 44, 45, "1.1 -")
        .read(2, 46, 47, "list 1:")
        .last(100, "1.1 2");
    finds(
        story,
        expect![[r#"
            stale: session 1 read version 1 of record 1.1 from 31.000 s to 32.000 s; its own write of version 2 was answered at 30.000 s [loose]
            stale: session 2 read version 1 of record 1.1 from 42.000 s to 43.000 s; it had seen version 2 before [loose]
            stale: session 2 read no record 1.1 from 44.000 s to 45.000 s; it had seen version 2 before [loose]
            stale: session 2 read no record 1.1 from 46.000 s to 47.000 s; it had seen version 2 before [loose]
        "#]],
    );
}

#[test]
fn linearizable_reads_see_what_was_acknowledged_or_seen_by_others() {
    let story = Story::new()
        .write(1, 0, 10, "create 1.1")
        .write(1, 20, 50, "set 1.1 2")
        .read(2, 30, 31, "1.1 2")
        .read(3, 32, 33, "1.1 1")
        .read(4, 29, 40, "1.1 1")
        .read(3, 51, 52, "1.1 1")
        .write(1, 60, 70, "delete 1.1")
        .read(4, 71, 72, "1.1 2")
        .read(5, 71, 72, "list 1: 1.1 2")
        .last(100, "");
    finds(
        story,
        expect![[r#"
            stale: session 3 read version 1 of record 1.1 from 32.000 s to 33.000 s; version 2 had been seen before
            stale: session 3 read version 1 of record 1.1 from 51.000 s to 52.000 s; version 2 was acknowledged at 50.000 s
            stale: session 4 read version 2 of record 1.1 from 71.000 s to 72.000 s; its deletion was acknowledged at 70.000 s
            stale: session 5 read version 2 of record 1.1 from 71.000 s to 72.000 s; its deletion was acknowledged at 70.000 s
        "#]],
    );
}

#[test]
fn nothing_comes_from_nowhere() {
    let story = Story::new()
        .write(1, 0, 10, "create 1.1")
        .write(1, 20, 30, "set 1.1 2 !")
        .write(1, 40, 50, "create 1.2 !")
        .write(1, 60, 70, "set 1.1 3")
        .read(2, 31, 32, "1.1 2")
        .read(2, 33, 34, "1.1 3")
        .read(2, 35, 36, "9.9 1")
        .stream(3, 0, "0 subscribed, 12 put 1.1 1, 13 deleted 1.1, 65 put 1.1 3")
        .last(100, "1.1 3, 1.2 1");
    finds(
        story,
        expect![[r#"
            phantom: session 3 was told of the deletion of record 1.1 at 13.000 s; which nobody had asked for [loose]
            phantom: session 2 read version 2 of record 1.1 from 31.000 s to 32.000 s; which was refused [loose]
            phantom: session 2 read version 3 of record 1.1 from 33.000 s to 34.000 s; which was written only from 60.000 s on [loose]
            phantom: session 2 read version 1 of record 9.9 from 35.000 s to 36.000 s; which nobody wrote [loose]
            phantom: version 1 of record 1.2 in the end; which was refused [loose]
        "#]],
    );
}

#[test]
fn a_connected_stream_tells_everything_once_and_in_order() {
    let story = Story::new()
        .write(1, 0, 10, "create 1.1")
        .write(1, 20, 30, "set 1.1 2")
        .write(1, 40, 50, "set 1.1 3")
        .write(1, 60, 70, "create 1.2")
        .write(1, 80, 90, "delete 1.1")
        .stream(
            3,
            15,
            "15 subscribed, 16 fetched 1.1 1, 31 put 1.1 2, 32 put 1.1 2, 91 deleted 1.1, 92 put 1.1 3",
        )
        .last(100, "1.2 1");
    finds(
        story,
        expect![[r#"
            event doubled: session 3 was told twice of version 2 of record 1.1
            event lost: session 3 was not told of version 3 of record 1.1, by 91.000 s
            event reordered: session 3 was told of version 3 of record 1.1 at 92.000 s, after the deletion [loose]
            event lost: session 3 was not told of version 1 of record 1.2, by 101.000 s
            view wrong: session 3 ends with nothing of record 1.2; there is version 1 [loose]
            view wrong: session 3 ends with version 3 of record 1.1; there is nothing [loose]
        "#]],
    );
}

#[test]
fn what_was_missed_while_cut_off_is_fetched() {
    let before = "15 subscribed, 16 fetched 1.1 1, 25 cut";
    let story = |after: &str| {
        Story::new()
            .write(1, 0, 10, "create 1.1")
            .write(1, 26, 30, "set 1.1 2")
            .write(1, 50, 60, "set 1.1 3")
            .stream(3, 15, &format!("{before}, {after}"))
            .last(100, "1.1 3")
    };
    finds(story("40 subscribed, 41 fetched 1.1 2, 61 put 1.1 3"), expect![""]);
    finds(story("40 subscribed, 61 put 1.1 3"), expect![""]);
    finds(story("70 subscribed, 71 fetched 1.1 3"), expect![""]);
    // An old fetch is made up for by nothing that is told later.
    finds(
        story("40 subscribed, 41 fetched 1.1 1"),
        expect![[r#"
            stale: session 3 read version 1 of record 1.1 from 41.000 s to 41.500 s; version 2 was acknowledged at 30.000 s
            event lost: session 3 was not told of version 3 of record 1.1, by 101.000 s
            view wrong: session 3 ends with version 1 of record 1.1; there is version 3 [loose]
        "#]],
    );
}

#[test]
fn who_was_told_reads_no_less() {
    let story = Story::new()
        .write(1, 0, 10, "create 1.1")
        .write(1, 20, 90, "set 1.1 2")
        .stream(3, 12, "12 subscribed, 30 put 1.1 2")
        .read(3, 31, 32, "1.1 1")
        .last(100, "1.1 2");
    finds(
        story,
        expect![[r#"
            stale: session 3 read version 1 of record 1.1 from 31.000 s to 32.000 s; it had seen version 2 before [loose]
        "#]],
    );
}

#[test]
#[should_panic(expected = "1.1 is written after an unknown outcome")]
fn a_history_that_proves_nothing_is_refused() {
    let story = Story::new().write(1, 0, 10, "create 1.1 ?").write(1, 20, 30, "set 1.1 2");
    check(&story.history(), STRICT);
}

#[test]
fn a_world_without_faults_is_clean() {
    for seed in 0..150 {
        let history = World::new(seed, None).run();
        let verdict = check(&history, STRICT);
        assert!(verdict.clean(), "seed {seed}: {:#?}", verdict.faults);
        let tally = verdict.tally;
        assert!(tally.reads > 100 && tally.events > 100, "seed {seed}: {tally:?}");
        assert!(tally.writes_unknown > 0 && tally.views_compared > 0, "seed {seed}: {tally:?}");
    }
}

#[test]
fn each_planted_fault_is_found() {
    for plant in Plant::ALL {
        for seed in 0..50 {
            let mut world = World::new(seed, Some(plant));
            let history = world.run_mut();
            let verdict = check(&history, STRICT);
            assert!(world.planted(), "{plant:?} found no place, seed {seed}");
            let expected = plant.found_as();
            assert!(
                expected.iter().any(|kind| verdict.counts.contains_key(kind)),
                "{plant:?} was not found, seed {seed}: {:#?}",
                verdict.faults
            );
        }
    }
}

#[test]
fn every_kind_of_fault_is_planted() {
    let planted: BTreeSet<FaultKind> =
        Plant::ALL.iter().flat_map(|plant| plant.found_as().iter().copied()).collect();
    assert_eq!(planted, BTreeSet::from(FaultKind::ALL));
}
