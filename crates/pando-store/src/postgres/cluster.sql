-- What servers on one database know of each other. Installed at every start, after the functions.

-- Who serves now. A server that was not seen for a while has none of these rights any more, and
-- nobody waits for it.
CREATE TABLE IF NOT EXISTS pando.servers (
  "id" text COLLATE "C" PRIMARY KEY,
  -- Of the collections and settings that it works with.
  "version" bigint NOT NULL,
  "seen" timestamptz NOT NULL DEFAULT now()
);

-- What all servers learn, in the order of "number". An entry about records is written by the
-- transaction that changes them, as its last statement: by then it holds all locks that it needs,
-- so entries about one record are in the order of their commits.
CREATE TABLE IF NOT EXISTS pando.journal (
  "number" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  "server" text NOT NULL,
  -- Which of the server's tries to commit it was: a server that lost the answer finds it by that.
  "attempt" bigint NOT NULL DEFAULT 0,
  -- Of collections and settings, as the writer knew them.
  "version" bigint NOT NULL,
  "body" text NOT NULL
);

-- One row: a name that no other database has, and up to which number entries are gone.
CREATE TABLE IF NOT EXISTS pando.cluster (
  "one" boolean PRIMARY KEY DEFAULT TRUE CHECK ("one"),
  "id" text NOT NULL DEFAULT gen_random_uuid()::text,
  "gone" bigint NOT NULL DEFAULT 0
);
INSERT INTO pando.cluster DEFAULT VALUES ON CONFLICT DO NOTHING;

-- How often something happened in a window of time: limits that hold for all servers together.
-- Worth nothing after a crash, so it is not logged.
CREATE UNLOGGED TABLE IF NOT EXISTS pando.counts (
  "key" text COLLATE "C" PRIMARY KEY,
  "ends" timestamptz NOT NULL,
  "used" bigint NOT NULL
);

-- What is done at a certain time by one of them: up to which time it has been.
CREATE TABLE IF NOT EXISTS pando.chores (
  "name" text COLLATE "C" PRIMARY KEY,
  "done" bigint NOT NULL
);
