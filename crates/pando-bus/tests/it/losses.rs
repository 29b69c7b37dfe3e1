//! What happens when notes, numbers or connections get lost: nothing that counts.

use pando_bus::BusOptions;
use pando_testkit::Postgres;

use crate::app::{Server, id};

/// Two servers and a record.
async fn two(postgres: &Postgres, database: &str) -> [Server; 2] {
    let url = postgres.url(database);
    let mut one = Server::start(Some(&url), BusOptions::default()).await;
    let mut two = Server::start(Some(&url), BusOptions::default()).await;
    one.make_things().await;
    one.create(&id("a"), "").await;
    one.until("+a=0").await;
    two.until("+a=0").await;
    [one, two]
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_notes_are_found_in_the_journal() {
    let postgres = Postgres::start().unwrap();
    let database = postgres.new_database().unwrap();
    let [mut one, mut two] = two(&postgres, &database).await;
    // Notes go nowhere from now on.
    postgres
        .sql(
            &database,
            "CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql AS ''",
        )
        .unwrap();
    postgres
        .sql("postgres", &format!("ALTER DATABASE {database} SET search_path = public, pg_catalog"))
        .unwrap();
    cut(&postgres, &database, "LISTEN%");
    cut(&postgres, &database, "%pg_notify%");
    for _ in 0..5 {
        one.count_up(&id("a")).await;
        two.count_up(&id("a")).await;
    }
    for server in [&mut one, &mut two] {
        let mut events = Vec::new();
        for _ in 0..10 {
            events.push(server.next().await);
        }
        assert_eq!(events, (1..=10).map(|n| format!("a={n}")).collect::<Vec<_>>());
    }
}

/// Ends the connections whose last statement looks like that.
fn cut(postgres: &Postgres, database: &str, statement: &str) {
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND \
         query LIKE '{statement}' AND pid <> pg_backend_pid()"
    );
    postgres.sql("postgres", &cut).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_without_an_entry_hold_up_nobody() {
    let postgres = Postgres::start().unwrap();
    let database = postgres.new_database().unwrap();
    let [mut one, mut two] = two(&postgres, &database).await;
    for _ in 0..3 {
        // As a server leaves it that dies before its commit.
        postgres.sql(&database, "SELECT nextval('pando.journal_number_seq')").unwrap();
        one.count_up(&id("a")).await;
    }
    for server in [&mut one, &mut two] {
        for n in 1..=3 {
            assert_eq!(server.next().await, format!("a={n}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_comes_late_is_waited_for() {
    let postgres = Postgres::start().unwrap();
    let database = postgres.new_database().unwrap();
    let [mut one, mut two] = two(&postgres, &database).await;
    // As a server whose commit takes long.
    let late = "BEGIN; INSERT INTO pando.journal (server, version, body) VALUES \
                ('x', 1, '[\"message\",\"late\"]'); SELECT pg_sleep(1); COMMIT";
    let database = database.clone();
    std::thread::scope(|scope| {
        let inserting = scope.spawn(|| postgres.sql(&database, late).unwrap());
        let begun = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'BEGIN; INSERT%'";
        pando_testkit::wait_for("the late entry", crate::app::DEADLINE, || {
            Ok((postgres.sql("postgres", begun)? != "0").then_some(()))
        })
        .unwrap();
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                one.count_up(&id("a")).await;
                for server in [&mut one, &mut two] {
                    assert_eq!(server.next().await, "late");
                    assert_eq!(server.next().await, "a=1");
                }
            });
        });
        inserting.join().unwrap();
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_lost_are_made_again() {
    let postgres = Postgres::start().unwrap();
    let database = postgres.new_database().unwrap();
    let [mut one, mut two] = two(&postgres, &database).await;
    for n in 1..=3 {
        cut(&postgres, &database, "%journal%");
        cut(&postgres, &database, "%pg_notify%");
        // A write may fail while connections are cut, so those are left alone here.
        one.count_up(&id("a")).await;
        for server in [&mut one, &mut two] {
            assert_eq!(server.next().await, format!("a={n}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_for_too_long_is_told() {
    let postgres = Postgres::start().unwrap();
    let database = postgres.new_database().unwrap();
    let [one, mut two] = two(&postgres, &database).await;
    // The second one hears nothing of an entry that is deleted at once.
    let lost = "WITH lost AS (INSERT INTO pando.journal (server, version, body) VALUES \
                ('x', 1, '') RETURNING number) UPDATE pando.cluster SET gone = number FROM lost; \
                DELETE FROM pando.journal";
    postgres.sql(&database, lost).unwrap();
    one.count_up(&id("a")).await;
    assert_eq!(two.next().await, "missed");
    assert_eq!(two.next().await, "a=1");
}
