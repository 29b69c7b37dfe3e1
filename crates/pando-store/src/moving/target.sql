-- What a database knows of the move that fills it. Dropped when the move is finished, but for
-- `pando.moving`: its id tells this database from another one.

CREATE TABLE IF NOT EXISTS pando.moving (
  "one" boolean PRIMARY KEY DEFAULT TRUE CHECK ("one"),
  "id" text NOT NULL,
  -- 'filling': not to be served; 'moved': complete; 'finished'; 'undone': not to be served any more.
  "phase" text NOT NULL DEFAULT 'filling',
  -- The last change of the log of data.db that is here.
  "applied" bigint NOT NULL,
  -- What the views that are here were made of; empty when they are to be made.
  "views" text NOT NULL DEFAULT ''
);

CREATE TABLE IF NOT EXISTS pando.moving_tables (
  "key" text PRIMARY KEY,
  "name" text NOT NULL,
  "definition" text NOT NULL,
  -- The last rowid that was copied, and whether that was all.
  "copied" bigint NOT NULL DEFAULT -9223372036854775808,
  "complete" boolean NOT NULL DEFAULT FALSE,
  "indexed" boolean NOT NULL DEFAULT FALSE,
  -- The last rowid that was compared, and whether that was all.
  "compared" bigint NOT NULL DEFAULT -9223372036854775808,
  "verified" boolean NOT NULL DEFAULT FALSE
);

-- The way back: which rows were written since the move. Read by deleting.
CREATE TABLE IF NOT EXISTS pando.changes ("tbl" text NOT NULL, "pk" text NOT NULL);

CREATE OR REPLACE FUNCTION pando.note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('pando.mover', true) = 'on' THEN
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO pando.changes VALUES (TG_ARGV[0], OLD."id");
  END IF;
  IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW."id" <> OLD."id") THEN
    INSERT INTO pando.changes VALUES (TG_ARGV[0], NEW."id");
  END IF;
  RETURN NULL;
END $$;
