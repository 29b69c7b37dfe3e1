-- The logs of all servers. Installed at every start, after the functions.
--
-- It is logged like any other table: an unlogged one would be empty after a crash, when logs are
-- wanted most, and on replicas. What makes it cheap is that nobody waits for it
-- (synchronous_commit=off) and that both indexes grow at their ends only: ids begin with the time.
CREATE TABLE IF NOT EXISTS pando.logs (
  "id" text COLLATE "C" PRIMARY KEY,
  "created" text COLLATE "C" NOT NULL,
  "level" double precision NOT NULL,
  "message" text COLLATE "C" NOT NULL,
  "data" json NOT NULL
);
CREATE INDEX IF NOT EXISTS logs_created ON pando.logs ("created");
