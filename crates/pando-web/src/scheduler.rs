//! Chores at certain times, as cron expressions tell them: once for all servers on a database,
//! whichever of them are there.
//!
//! Each server looks at its clock, and who is the first to claim a chore of a minute does it
//! ([`pando_store::Store::claim`]). So nobody has to lead, and none is missed while one server
//! lives; if that one dies in the middle of a chore, the next time finishes what it left.
//!
//! Source: PocketBase `tools/cron/cron.go`, and where its jobs are added.

use std::sync::Arc;
use std::time::Duration;

use pando_schema::{CronMoment, CronSchedule, Settings};
use time::OffsetDateTime;
use tracing::{debug, warn};

use crate::ApiError;
use crate::activity;
use crate::app::SharedApp;
use crate::resources::auth::{delete_expired_mfas, delete_expired_otps};

/// The clock may be set, and machines sleep: it is looked at that often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often a claim is tried again while the database is away.
const CLAIM_AGAIN_AFTER: Duration = Duration::from_secs(5);

const MINUTE_SECONDS: i64 = 60;

/// A chore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    DatabaseOptimize,
    MfaCleanup,
    OtpCleanup,
    LogsCleanup,
    RateLimitsCleanup,
}

impl Job {
    /// In the order in which PocketBase lists them.
    pub(crate) const ALL: [Job; 5] = [
        Job::DatabaseOptimize,
        Job::MfaCleanup,
        Job::OtpCleanup,
        Job::LogsCleanup,
        Job::RateLimitsCleanup,
    ];

    pub(crate) fn id(self) -> &'static str {
        match self {
            Job::DatabaseOptimize => "__pbDBOptimize__",
            Job::MfaCleanup => "__pbMFACleanup__",
            Job::OtpCleanup => "__pbOTPCleanup__",
            Job::LogsCleanup => "__pbLogsCleanup__",
            Job::RateLimitsCleanup => "__pbRateLimitersCleanup__",
        }
    }

    /// When it is due, in UTC.
    pub(crate) fn expression(self) -> &'static str {
        match self {
            Job::DatabaseOptimize => "0 0 * * *",
            Job::MfaCleanup | Job::OtpCleanup => "0 * * * *",
            Job::LogsCleanup => "0 */6 * * *",
            Job::RateLimitsCleanup => "2 * * * *",
        }
    }

    /// Whether superusers see it. PocketBase has that one while there is something to clean up.
    pub(crate) fn listed(self, settings: &Settings) -> bool {
        self != Job::RateLimitsCleanup || settings.rate_limits.enabled
    }

    /// Does it now.
    pub(crate) async fn run(self, app: &SharedApp) {
        debug!(cron = self.id(), "running");
        if let Err(error) = self.try_run(app).await {
            let cause = error.cause.map_or(error.message, |cause| format!("{cause:#}"));
            warn!(cron = self.id(), error = cause, "a scheduled chore failed");
        }
    }

    async fn try_run(self, app: &SharedApp) -> Result<(), ApiError> {
        let now_ms = i64::try_from(now().unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX);
        match self {
            Job::DatabaseOptimize => app.store.optimize().await?,
            Job::MfaCleanup => delete_expired_mfas(app, now_ms).await?,
            Job::OtpCleanup => delete_expired_otps(app, now_ms).await?,
            Job::LogsCleanup => activity::delete_old(&app.store, &app.store.settings()).await?,
            Job::RateLimitsCleanup => app.store.forget_old_counts().await?,
        }
        Ok(())
    }

    fn due(self, moment: CronMoment) -> bool {
        let schedule = CronSchedule::parse(self.expression()).expect("a test reads them all");
        schedule.due(moment)
    }
}

/// Does what is due until the stop.
pub(crate) async fn run(app: SharedApp) -> anyhow::Result<()> {
    let stopping = app.life.stopping.clone();
    let mut last = now();
    while stopping.run_until_cancelled(tokio::time::sleep(wait(now()))).await.is_some() {
        let now = now();
        if minute(now) != minute(last) {
            last = now;
            start_due(&app, now);
        }
    }
    Ok(())
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Minutes since 1970.
fn minute(at: OffsetDateTime) -> i64 {
    at.unix_timestamp().div_euclid(MINUTE_SECONDS)
}

/// Until the next minute, or until the clock is to be looked at.
fn wait(now: OffsetDateTime) -> Duration {
    let left = 1_000 * u64::from(60 - now.second()) - u64::from(now.millisecond());
    Duration::from_millis(left).min(LOOK_EVERY)
}

/// Starts the chores of that minute.
fn start_due(app: &SharedApp, at: OffsetDateTime) {
    let moment = CronMoment {
        minute: at.minute(),
        hour: at.hour(),
        day: at.day(),
        month: at.month().into(),
        weekday: at.weekday().number_days_from_sunday(),
    };
    for job in Job::ALL.into_iter().filter(|job| job.due(moment)) {
        let own = Arc::clone(app);
        app.life.track(async move {
            if claimed(&own, job, minute(at)).await {
                job.run(&own).await;
            }
        });
    }
}

/// Whether this server is the one to do it. Tries for as long as the minute lasts.
async fn claimed(app: &SharedApp, job: Job, due: i64) -> bool {
    loop {
        match app.store.claim(job.id(), due).await {
            Ok(ours) => return ours,
            Err(error) if minute(now()) != due => {
                warn!(
                    cron = job.id(),
                    error = format!("{error:#}"),
                    "a scheduled chore was missed"
                );
                return false;
            }
            Err(error) => debug!(error = format!("{error:#}"), "failed to claim a chore"),
        }
        let pause = tokio::time::sleep(CLAIM_AGAIN_AFTER);
        if app.life.stopping.run_until_cancelled(pause).await.is_none() {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn schedules_are_those_of_pocketbase() {
        let due = |minute, hour| {
            let moment = CronMoment { minute, hour, day: 1, month: 1, weekday: 0 };
            Job::ALL.into_iter().filter(|job| job.due(moment)).collect::<Vec<_>>()
        };
        let hourly = [Job::MfaCleanup, Job::OtpCleanup];
        assert_eq!(due(0, 0), Job::ALL[..4]);
        assert_eq!(due(0, 1), hourly);
        assert_eq!(due(0, 12), [&hourly[..], &[Job::LogsCleanup]].concat());
        assert_eq!(due(2, 5), [Job::RateLimitsCleanup]);
        assert_eq!(due(1, 0), []);
    }

    #[test]
    fn it_wakes_at_the_full_minute_and_before() {
        assert_eq!(wait(datetime!(2026-12-01 05:23:43.943 UTC)), LOOK_EVERY);
        assert_eq!(wait(datetime!(2026-12-01 05:23:59.300 UTC)), Duration::from_millis(700));
        assert_eq!(wait(datetime!(2026-12-01 05:23:59.999 UTC)), Duration::from_millis(1));
        assert_eq!(wait(datetime!(2026-12-01 05:24:00 UTC)), LOOK_EVERY);
    }
}
