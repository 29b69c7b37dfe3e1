-- What statements for PostgreSQL need to answer as SQLite does. Installed at every start, in one
-- transaction; each definition replaces an older one of its kind.
--
-- A `pando.value` is a value as SQLite has them, of no type or any: class 1 is a number, class 2 a
-- text, and NULL is NULL. Its columns are compared in their order, which is SQLite's order of
-- values. A number is a double `n`; integers that are no double are the next lower one and the
-- rest `r`.
--
-- None of these functions fails on any input, but for `json_refused` and `refuse_version`, which
-- exist to fail.
-- Exceptions cannot be caught here: that would make the functions unfit for parallel plans.

CREATE SCHEMA IF NOT EXISTS pando;

DO $install$
BEGIN
  IF to_regtype('pando.value') IS NULL THEN
    CREATE TYPE pando.value AS (c int2, n float8, r int2, t text COLLATE "C");
  END IF;
END
$install$;

-- Values.

CREATE OR REPLACE FUNCTION pando.t(text) RETURNS pando.value
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN $1 IS NOT NULL THEN ROW(2::int2, NULL::float8, NULL::int2, $1)::pando.value END $$;

CREATE OR REPLACE FUNCTION pando.n(float8) RETURNS pando.value
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN $1 IS NOT NULL THEN ROW(1::int2, $1, 0::int2, NULL::text)::pando.value END $$;

-- Any integer. Doubles have 53 bits: what is below those is the rest.
CREATE OR REPLACE FUNCTION pando.i(number int8) RETURNS pando.value
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  shift int := 0;
  high int8;
BEGIN
  WHILE abs((number >> shift)::numeric) > 9007199254740992 LOOP
    shift := shift + 1;
  END LOOP;
  high := (number >> shift) << shift;
  RETURN ROW(1::int2, high::float8, (number - high)::int2, NULL::text)::pando.value;
END $$;

-- The double that a text is which is known to be a number: any number of digits, any exponent.
CREATE OR REPLACE FUNCTION pando.real(number text) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  plain text := btrim(number, E' \t\n\v\f\r');
  parts text[];
  digits text;
  power numeric;
BEGIN
  IF length(plain) < 200 AND plain !~ '[eE][+-]?[0-9]{3}' THEN
    RETURN plain::float8 + 0.0::float8;
  END IF;
  parts := regexp_match(plain, '^([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?$');
  digits := ltrim(parts[2] || parts[3], '0');
  IF digits = '' THEN
    RETURN 0;
  END IF;
  IF length(ltrim(coalesce(parts[4], ''), '+-0')) > 8 THEN
    power := CASE WHEN parts[4] LIKE '-%' THEN -99999999 ELSE 99999999 END;
  ELSE
    power := coalesce(parts[4], '0')::numeric;
  END IF;
  -- The number is 0.DIGITS times ten to that power.
  power := power + length(parts[2]) - (length(parts[2] || parts[3]) - length(digits));
  digits := left(digits, 400);
  IF power > 309 OR (power = 309 AND ('0.' || digits)::numeric >= 0.17976931348623158079) THEN
    RETURN CASE WHEN parts[1] = '-' THEN '-Infinity' ELSE 'Infinity' END::float8;
  END IF;
  IF power < -323 OR (power = -323 AND ('0.' || digits)::numeric <= 0.247032822920623272088) THEN
    RETURN 0;
  END IF;
  RETURN (parts[1] || '0.' || digits || 'e' || power)::float8;
END $$;

-- A text that is known to be a number as a value.
CREATE OR REPLACE FUNCTION pando.number(number text) RETURNS pando.value
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  plain text := btrim(number, E' \t\n\v\f\r');
  whole numeric;
BEGIN
  IF plain !~ '^[+-]?[0-9]+$' THEN
    RETURN pando.n(pando.real(plain));
  END IF;
  IF length(plain) < 16 THEN
    RETURN pando.n(plain::float8 + 0.0::float8);
  END IF;
  IF length(plain) < 200 THEN
    whole := plain::numeric;
    IF whole BETWEEN -9223372036854775808 AND 9223372036854775807 THEN
      RETURN pando.i(whole::int8);
    END IF;
  END IF;
  RETURN pando.n(pando.real(plain));
END $$;

CREATE OR REPLACE FUNCTION pando.is_number(text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT $1 ~ '^[ \t\n\v\f\r]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t\n\v\f\r]*$' $$;

-- A value as numeric columns convert it: a text that is a number becomes that number.
CREATE OR REPLACE FUNCTION pando.numeric(val pando.value) RETURNS pando.value
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF val.c = 2 AND pando.is_number(val.t) THEN
    RETURN pando.number(val.t);
  END IF;
  RETURN val;
END $$;

-- The number for a function of numbers; NULL if it is none.
CREATE OR REPLACE FUNCTION pando.float(val text) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF pando.is_number(val) THEN
    RETURN pando.real(val);
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION pando.float(val pando.value) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF val.c = 1 THEN
    RETURN val.n;
  END IF;
  RETURN pando.float(val.t);
END $$;

-- Whether a value is true: a text by the number that it starts with.
CREATE OR REPLACE FUNCTION pando.truth(val pando.value) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF val.c = 1 THEN
    RETURN val.n <> 0 OR val.r <> 0;
  END IF;
  RETURN coalesce(pando.real(substring(val.t from
    '^[ \t\n\v\f\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)')), 0) <> 0;
END $$;

-- Numbers as text, as SQLite prints them: 17 digits, fewer where those read back the same.
CREATE OR REPLACE FUNCTION pando.real_text(number float8) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  magnitude float8 := abs(number);
  sign text := CASE WHEN number < 0 THEN '-' ELSE '' END;
  bits int8;
  below int;
  power int;
  digits text;
  kept text;
  fewer numeric;
BEGIN
  IF number = 0 THEN
    RETURN '0.0';
  ELSIF magnitude = 'Infinity' THEN
    RETURN sign || 'Inf';
  END IF;
  bits := ('x' || encode(float8send(magnitude), 'hex'))::bit(64)::int8;
  below := CASE WHEN bits >> 52 > 0 THEN (bits >> 52)::int - 1023
                ELSE length(ltrim(bits::bit(64)::text, '0')) - 1075 END;
  below := (below * 78913::int8) >> 18;
  power := split_part(to_char(magnitude, '9.999999999999999999999999999999EEEE'), 'e', 2)::int;
  IF 17 + power - below >= 18 THEN
    digits := to_char(magnitude, '9.999999999999999999EEEE');
  ELSE
    digits := to_char(magnitude, '9.99999999999999999EEEE');
  END IF;
  power := split_part(digits, 'e', 2)::int;
  digits := replace(ltrim(split_part(digits, 'e', 1)), '.', '');
  IF substr(digits, 15, 2) = '99' THEN
    kept := rtrim(left(digits, 14), '9');
    fewer := ('0' || kept)::numeric + 1;
  ELSIF power + 1 >= length(digits) OR substr(digits, 14, 3) = '000' THEN
    kept := rtrim(left(digits, 13), '0');
    fewer := kept::numeric;
  END IF;
  IF fewer IS NOT NULL AND power + 1 - length(kept) <= 300
     AND (fewer::text || 'e' || (power + 1 - length(kept)))::float8 = magnitude THEN
    power := power + length(fewer::text) - length(kept);
    digits := fewer::text;
  ELSE
    kept := (left(digits, 17)::numeric + CASE WHEN substr(digits, 18, 1) >= '5' THEN 1 ELSE 0 END)::text;
    power := power + length(kept) - 17;
    digits := kept;
  END IF;
  digits := rtrim(digits, '0');
  IF power BETWEEN -4 AND -1 THEN
    RETURN sign || '0.' || repeat('0', -power - 1) || digits;
  ELSIF power BETWEEN 0 AND 16 THEN
    RETURN sign || rpad(left(digits, power + 1), power + 1, '0') || '.'
      || coalesce(nullif(substr(digits, power + 2), ''), '0');
  END IF;
  RETURN sign || left(digits, 1) || '.' || coalesce(nullif(substr(digits, 2), ''), '0') || 'e'
    || CASE WHEN power < 0 THEN '-' ELSE '+' END || lpad(abs(power)::text, greatest(2, length(abs(power)::text)), '0');
END $$;

-- The same for number columns, which keep whole numbers as integers if those have 64 bits.
CREATE OR REPLACE FUNCTION pando.number_text(number float8) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF abs(number) < 9223372036854775808 AND number = trunc(number) THEN
    RETURN number::int8::text;
  END IF;
  RETURN pando.real_text(number);
END $$;

-- LIKE with a pattern that only the row knows. A backslash at its end matches nothing.
CREATE OR REPLACE FUNCTION pando.like(val text, pattern text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF (length(pattern) - length(rtrim(pattern, '\'))) % 2 = 1 THEN
    RETURN false;
  END IF;
  RETURN lower(val COLLATE "C") LIKE lower(pattern COLLATE "C");
END $$;

-- JSON.

-- Documents with the escapes that PostgreSQL cannot decode, NUL and halves of surrogate pairs,
-- replaced by others of the same length.
CREATE OR REPLACE FUNCTION pando.json_decodable(doc json) RETURNS json
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  val text := doc::text;
BEGIN
  IF strpos(val, '\u') = 0 THEN
    RETURN doc;
  END IF;
  val := regexp_replace(val, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\u0001', 'g');
  val := regexp_replace(val,
    '(?<!\\)((?:\\\\)*)\\u[dD]([89abAB][0-9a-fA-F]{2})(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})', '\1\\ue\2', 'g');
  val := regexp_replace(val,
    '(?<!\\)((?:\\\\)*)(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD]([c-fC-F][0-9a-fA-F]{2})', '\1\\ue\2', 'g');
  RETURN val::json;
END $$;

-- A list or object as text: without white space, and with its own escapes if they were replaced.
CREATE OR REPLACE FUNCTION pando.json_compact(val text, replaced boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF replaced THEN
    val := regexp_replace(val, '(?<!\\)((?:\\\\)*)\\u0001', '\1\\u0000', 'g');
    val := regexp_replace(val, '(?<!\\)((?:\\\\)*)\\ue([89a-fA-F][0-9a-fA-F]{2})', '\1\\ud\2', 'g');
  END IF;
  IF val !~ '[ \t\n\r]' THEN
    RETURN val;
  END IF;
  RETURN regexp_replace(val, '("(?:[^"\\]|\\.)*")|[ \t\n\r]+', '\1', 'g');
END $$;

-- A part of a decodable document as a value of SQLite.
CREATE OR REPLACE FUNCTION pando.json_value(part json, replaced boolean) RETURNS pando.value
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  CASE json_typeof(part)
    WHEN 'string' THEN RETURN pando.t(part #>> '{}');
    WHEN 'number' THEN RETURN pando.number(part::text);
    WHEN 'boolean' THEN RETURN pando.n(CASE WHEN part #>> '{}' = 'true' THEN 1 ELSE 0 END);
    WHEN 'null' THEN RETURN NULL;
    ELSE RETURN pando.t(pando.json_compact(part::text, replaced));
  END CASE;
END $$;

-- The same as the text that SQLite makes of it.
CREATE OR REPLACE FUNCTION pando.json_value_text(part json, replaced boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  plain text;
  whole numeric;
BEGIN
  CASE json_typeof(part)
    WHEN 'string' THEN RETURN part #>> '{}';
    WHEN 'number' THEN
      plain := btrim(part::text, E' \t\n\r');
      IF plain ~ '^-?[0-9]+$' AND length(plain) < 200 THEN
        whole := plain::numeric;
        IF whole BETWEEN -9223372036854775808 AND 9223372036854775807 THEN
          RETURN whole::text;
        END IF;
      END IF;
      RETURN pando.real_text(pando.real(plain));
    WHEN 'boolean' THEN RETURN CASE WHEN part #>> '{}' = 'true' THEN '1' ELSE '0' END;
    WHEN 'null' THEN RETURN NULL;
    ELSE RETURN pando.json_compact(part::text, replaced);
  END CASE;
END $$;

-- The value at a path of names.
CREATE OR REPLACE FUNCTION pando.json(doc json, path text[]) RETURNS pando.value
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  part json;
BEGIN
  IF strpos(doc::text, '\u') > 0 THEN
    part := pando.json_decodable(doc);
    RETURN pando.json_value(part #> path, part::text <> doc::text);
  END IF;
  part := doc #> path;
  IF json_typeof(part) = 'string' THEN
    RETURN ROW(2::int2, NULL::float8, NULL::int2, part #>> '{}')::pando.value;
  END IF;
  RETURN pando.json_value(part, false);
END $$;

CREATE OR REPLACE FUNCTION pando.json_text(doc json, path text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  part json;
BEGIN
  IF strpos(doc::text, '\u') > 0 THEN
    part := pando.json_decodable(doc);
    RETURN pando.json_value_text(part #> path, part::text <> doc::text);
  END IF;
  part := doc #> path;
  IF json_typeof(part) = 'string' THEN
    RETURN part #>> '{}';
  END IF;
  RETURN pando.json_value_text(part, false);
END $$;

-- A path of names and of `#` with a position: names are for objects only, positions for lists.
CREATE OR REPLACE FUNCTION pando.json_walk(doc json, path text[]) RETURNS json
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  step text;
BEGIN
  FOREACH step IN ARRAY path LOOP
    IF left(step, 1) = '#' THEN
      doc := doc -> substr(step, 2)::int;
    ELSE
      doc := doc -> step;
    END IF;
  END LOOP;
  RETURN doc;
END $$;

CREATE OR REPLACE FUNCTION pando.json_at(doc json, path text[]) RETURNS pando.value
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  plain json := pando.json_decodable(doc);
BEGIN
  RETURN pando.json_value(pando.json_walk(plain, path), plain::text <> doc::text);
END $$;

CREATE OR REPLACE FUNCTION pando.json_at_text(doc json, path text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  plain json := pando.json_decodable(doc);
BEGIN
  RETURN pando.json_value_text(pando.json_walk(plain, path), plain::text <> doc::text);
END $$;

-- A value as it compares with a number: texts, which are more than any number, become NaN, which
-- is so too. Integers that are no double become the next higher one.
CREATE OR REPLACE FUNCTION pando.json_part_number(part json) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  val pando.value;
  step float8 := 1;
BEGIN
  CASE json_typeof(part)
    WHEN 'number' THEN
      IF length(part::text) < 16 AND part::text !~ '[eE]' THEN
        RETURN part::text::float8;
      END IF;
      val := pando.number(part::text);
      WHILE val.r <> 0 AND val.n + step = val.n LOOP
        step := step * 2;
      END LOOP;
      RETURN CASE WHEN val.r = 0 THEN val.n ELSE val.n + step END;
    WHEN 'boolean' THEN RETURN CASE WHEN part #>> '{}' = 'true' THEN 1 ELSE 0 END;
    WHEN 'null' THEN RETURN NULL;
    ELSE RETURN 'NaN';
  END CASE;
END $$;

CREATE OR REPLACE FUNCTION pando.json_number(doc json, path text[]) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF strpos(doc::text, '\u') > 0 THEN
    RETURN pando.json_part_number(pando.json_decodable(doc) #> path);
  END IF;
  RETURN pando.json_part_number(doc #> path);
END $$;

CREATE OR REPLACE FUNCTION pando.json_at_number(doc json, path text[]) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$ BEGIN RETURN pando.json_part_number(pando.json_walk(pando.json_decodable(doc), path)); END $$;

-- A path with nothing between two dots.
CREATE OR REPLACE FUNCTION pando.json_refused(json) RETURNS pando.value
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
$$ BEGIN RAISE EXCEPTION 'bad JSON path' USING ERRCODE = 'invalid_parameter_value'; END $$;

-- Whether a text is JSON: its scalars become V, and strings S, then all that is whole becomes V
-- until nothing is left to do.
CREATE OR REPLACE FUNCTION pando.json_valid(val text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  form text;
  before text;
BEGIN
  IF val ~ '[\u0001-\u0008\u000b\u000c\u000e-\u001f]' THEN
    RETURN false;
  END IF;
  form := regexp_replace(val, '"(?:[^"\\\u0001-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"', E'\x01', 'g');
  IF form ~ '[SV"]' THEN
    RETURN false;
  END IF;
  form := replace(form, E'\x01', 'S');
  form := regexp_replace(form, '-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null', 'V', 'g');
  form := regexp_replace(form, '[ \t\n\r]+', '', 'g');
  LOOP
    before := form;
    form := regexp_replace(form,
      '\[(?:[SV](?:,[SV])*)?\]|\{(?:S:[SV](?:,S:[SV])*)?\}', 'V', 'g');
    EXIT WHEN form = before;
  END LOOP;
  RETURN form IN ('S', 'V');
END $$;

CREATE OR REPLACE FUNCTION pando.is_array(val text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN val ~ '^[ \t\n\r]*\[' AND pando.json_valid(val);
END $$;

-- How many items a text holds: those of an array, else itself.
CREATE OR REPLACE FUNCTION pando.length(val text) RETURNS int
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF val = '' OR val IS NULL THEN
    RETURN 0;
  ELSIF pando.is_array(val) THEN
    RETURN json_array_length(val::json);
  END IF;
  RETURN 1;
END $$;

-- The items of a text: those of an array, else itself.
CREATE OR REPLACE FUNCTION pando.items(val text, OUT "value" pando.value, OUT "text" text)
RETURNS SETOF record LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  plain json;
BEGIN
  IF val IS NOT NULL AND pando.is_array(val) THEN
    plain := pando.json_decodable(val::json);
    RETURN QUERY
      SELECT pando.json_value(item, plain::text <> val), pando.json_value_text(item, plain::text <> val)
      FROM json_array_elements(plain) item;
  ELSE
    RETURN QUERY SELECT pando.t(val), val;
  END IF;
END $$;

-- The items of a list column, for an index of what it holds.
CREATE OR REPLACE FUNCTION pando.list(doc json) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF json_typeof(doc) <> 'array' THEN
    RETURN NULL;
  END IF;
  RETURN ARRAY(SELECT json_array_elements_text(pando.json_decodable(doc)));
END $$;

-- A text as a list, where a field now holds several: that of an array, else itself.
CREATE OR REPLACE FUNCTION pando.list_of(val text) RETURNS json
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF val = '' THEN
    RETURN '[]'::json;
  ELSIF pando.is_array(val) THEN
    RETURN val::json;
  END IF;
  RETURN ('[' || to_json(val)::text || ']')::json;
END $$;

-- The last item of a list as text, where a field now holds one.
CREATE OR REPLACE FUNCTION pando.last_of(doc json) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF json_typeof(doc) <> 'array' THEN
    RETURN coalesce(pando.json_text(doc, '{}'), '');
  END IF;
  RETURN coalesce(pando.json_value_text(pando.json_decodable(doc) -> -1, false), '');
END $$;

-- The kilometres between two points; NULL where there is no such number.
CREATE OR REPLACE FUNCTION pando.distance(lon_a float8, lat_a float8, lon_b float8, lat_b float8)
RETURNS float8 LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  cosine float8;
BEGIN
  IF greatest(abs(lon_a), abs(lat_a), abs(lon_b), abs(lat_b)) = 'Infinity' THEN
    RETURN NULL;
  END IF;
  -- Products of smaller numbers would be too small for a double, which PostgreSQL refuses.
  lon_a := CASE WHEN abs(lon_a) < 1e-100 THEN 0 ELSE lon_a END;
  lat_a := CASE WHEN abs(lat_a) < 1e-100 THEN 0 ELSE lat_a END;
  lon_b := CASE WHEN abs(lon_b) < 1e-100 THEN 0 ELSE lon_b END;
  lat_b := CASE WHEN abs(lat_b) < 1e-100 THEN 0 ELSE lat_b END;
  cosine := cos(radians(lat_a)) * cos(radians(lat_b)) * cos(radians(lon_b) - radians(lon_a))
    + sin(radians(lat_a)) * sin(radians(lat_b));
  IF cosine > 1 OR cosine < -1 THEN
    RETURN NULL;
  END IF;
  RETURN 6371 * acos(cosine);
END $$;

-- Dates and times, after `date.c` of SQLite 3.54. The server's time zone counts as UTC.

DO $install$
BEGIN
  IF to_regtype('pando.moment') IS NULL THEN
    -- Milliseconds since the start of the Julian calendar, the parts of the date and the time, and
    -- which of them are known. `raw` is a number in `s` that may be of several kinds; `over` is
    -- how many days the date is after the end of its month.
    CREATE TYPE pando.moment AS (
      ms int8, y int, mo int, d int, h int, mi int, s float8, tz int,
      has_ms boolean, has_date boolean, has_time boolean,
      over int, raw boolean, subsec boolean, utc boolean, failed boolean
    );
  END IF;
END
$install$;

CREATE OR REPLACE FUNCTION pando.moment_ms(p pando.moment) RETURNS pando.moment
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  y int := 2000;
  mo int := 1;
  d int := 1;
  century int;
BEGIN
  IF p.has_ms THEN
    RETURN p;
  END IF;
  IF p.has_date THEN
    y := p.y; mo := p.mo; d := p.d;
  END IF;
  IF y < -4713 OR y > 9999 OR p.raw THEN
    p.failed := true; p.raw := false; p.has_date := false; p.has_time := false; p.ms := 0; p.tz := 0;
    p.utc := false; p.subsec := false;
    RETURN p;
  END IF;
  IF mo <= 2 THEN
    y := y - 1; mo := mo + 12;
  END IF;
  century := y / 100;
  p.ms := ((36525 * (y + 4716) / 100 + 306001 * (mo + 1) / 10000 + d + 2 - century + century / 4)::int8
    * 2 - 3049) * 43200000;
  p.has_ms := true;
  IF p.has_time THEN
    p.ms := p.ms + p.h * 3600000::int8 + p.mi * 60000 + trunc(p.s * 1000 + 0.5)::int8;
    IF p.tz <> 0 THEN
      p.ms := p.ms - p.tz * 60000;
      p.has_date := false; p.has_time := false; p.tz := 0; p.utc := true;
    END IF;
  END IF;
  RETURN p;
END $$;

CREATE OR REPLACE FUNCTION pando.moment_date(p pando.moment) RETURNS pando.moment
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  z int; alpha int; a int; b int; c int; d int; e int;
BEGIN
  IF p.has_date THEN
    RETURN p;
  END IF;
  IF NOT p.has_ms THEN
    p.y := 2000; p.mo := 1; p.d := 1;
  ELSIF p.ms < 0 OR p.ms > 464269060799999 THEN
    p.failed := true; p.raw := false; p.has_ms := false; p.has_time := false; p.ms := 0; p.tz := 0;
    p.utc := false; p.subsec := false;
    RETURN p;
  ELSE
    z := (p.ms + 43200000) / 86400000;
    alpha := trunc((z + 32044.75) / 36524.25)::int - 52;
    a := z + 1 + alpha - ((alpha + 100) / 4) + 25;
    b := a + 1524;
    c := trunc((b - 122.1) / 365.25)::int;
    d := (36525 * (c & 32767)) / 100;
    e := trunc((b - d) / 30.6001)::int;
    p.d := b - d - trunc(30.6001 * e)::int;
    p.mo := CASE WHEN e < 14 THEN e - 1 ELSE e - 13 END;
    p.y := CASE WHEN p.mo > 2 THEN c - 4716 ELSE c - 4715 END;
  END IF;
  p.has_date := true;
  RETURN p;
END $$;

CREATE OR REPLACE FUNCTION pando.moment_time(p pando.moment) RETURNS pando.moment
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  day_ms int;
BEGIN
  IF p.has_time THEN
    RETURN p;
  END IF;
  p := pando.moment_ms(p);
  day_ms := mod(coalesce(p.ms, 0) + 43200000, 86400000);
  p.s := (day_ms % 60000) / 1000.0::float8;
  p.mi := day_ms / 60000 % 60;
  p.h := day_ms / 3600000;
  p.raw := false; p.has_time := true;
  RETURN p;
END $$;

CREATE OR REPLACE FUNCTION pando.moment_over(p pando.moment) RETURNS pando.moment
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  p.over := CASE
    WHEN p.d <= 28 OR p.mo IN (1, 3, 5, 7, 8, 10, 12) THEN 0
    WHEN p.mo <> 2 THEN (p.d = 31)::int
    WHEN p.y % 4 <> 0 OR (p.y % 100 = 0 AND p.y % 400 <> 0) THEN p.d - 28
    ELSE p.d - 29
  END;
  RETURN p;
END $$;

-- Only the milliseconds are known from here on.
CREATE OR REPLACE FUNCTION pando.moment_clear(p pando.moment) RETURNS pando.moment
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  p.has_date := false; p.has_time := false; p.tz := 0;
  RETURN p;
END $$;

-- Hours, minutes and seconds with a time zone; NULL if the text is none.
CREATE OR REPLACE FUNCTION pando.moment_clock(p pando.moment, val text) RETURNS pando.moment
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  part text[] := regexp_match(val, '^([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?[ \t\n\v\f\r]*'
    '(?:([zZ])|([+-])([0-9]{2}):([0-9]{2}))?[ \t\n\v\f\r]*$');
BEGIN
  IF part IS NULL OR part[1]::int > 24 OR part[2]::int > 59 OR coalesce(part[3], '0')::int > 59
    OR coalesce(part[7], '0')::int > 14 OR coalesce(part[8], '0')::int > 59 THEN
    RETURN NULL;
  END IF;
  p.has_ms := false; p.raw := false; p.has_time := true;
  p.h := part[1]::int; p.mi := part[2]::int;
  p.s := coalesce(part[3], '0')::float8 + ('0.' || coalesce(left(part[4], 30), '0'))::float8;
  p.tz := coalesce(part[7], '0')::int * 60 + coalesce(part[8], '0')::int;
  p.tz := CASE WHEN part[6] = '-' THEN -p.tz ELSE p.tz END;
  p.utc := part[5] IS NOT NULL;
  RETURN p;
END $$;

-- A time value; NULL if it is none.
CREATE OR REPLACE FUNCTION pando.moment(val pando.value) RETURNS pando.moment
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  p pando.moment := ROW(0, 2000, 1, 1, 0, 0, 0, 0, false, false, false, 0, false, false, false, false);
  q pando.moment;
  part text[];
  rest text;
  number float8;
BEGIN
  IF val.c = 2 THEN
    part := regexp_match(val.t, '^(-?)([0-9]{4})-([0-9]{2})-([0-9]{2})[ \t\n\v\f\rT]*');
    IF part IS NOT NULL AND part[3]::int BETWEEN 1 AND 12 AND part[4]::int BETWEEN 1 AND 31 THEN
      rest := ltrim(substr(val.t, 11 + length(part[1])), E' \t\n\v\f\rT');
      q := CASE WHEN rest = '' THEN p ELSE pando.moment_clock(p, rest) END;
      IF q.has_ms IS NOT NULL THEN
        q.has_date := true;
        q.y := (part[1] || part[2])::int; q.mo := part[3]::int; q.d := part[4]::int;
        q := pando.moment_over(q);
        RETURN CASE WHEN q.tz <> 0 THEN pando.moment_ms(q) ELSE q END;
      END IF;
      RETURN NULL;
    END IF;
    q := pando.moment_clock(p, val.t);
    IF q.has_ms IS NOT NULL THEN
      RETURN q;
    END IF;
    IF lower(val.t COLLATE "C") IN ('now', 'subsec', 'subsecond') THEN
      p.ms := trunc(extract(epoch from statement_timestamp()) * 1000)::int8 + 210866760000000;
      p.has_ms := true; p.utc := true; p.subsec := lower(val.t COLLATE "C") <> 'now';
      RETURN p;
    END IF;
    number := pando.float(val.t);
  ELSE
    number := val.n;
  END IF;
  IF number IS NULL THEN
    RETURN NULL;
  END IF;
  p.s := number; p.raw := true;
  IF number >= 0 AND number < 5373484.5 THEN
    p.ms := trunc(number * 86400000 + 0.5)::int8; p.has_ms := true;
  END IF;
  RETURN p;
END $$;

-- `start of` and `end of` a day, month or year.
CREATE OR REPLACE FUNCTION pando.moment_bound(p pando.moment, unit text, upper boolean)
RETURNS pando.moment LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF unit NOT IN ('day', 'month', 'year') OR NOT (p.has_ms OR p.has_date OR p.has_time) THEN
    RETURN NULL;
  END IF;
  p := pando.moment_date(p);
  IF p.failed THEN
    RETURN NULL;
  END IF;
  p.has_time := true; p.raw := false; p.tz := 0; p.has_ms := false;
  p.h := 0; p.mi := 0; p.s := 0;
  IF upper THEN
    p.h := 23; p.mi := 59; p.s := 59.999;
  END IF;
  IF unit = 'year' THEN
    p.mo := CASE WHEN upper THEN 12 ELSE 1 END;
    p.d := CASE WHEN upper THEN 31 ELSE 1 END;
  ELSIF unit = 'month' THEN
    p.d := 1;
    IF upper THEN
      p.y := p.y + p.mo / 12; p.mo := p.mo % 12 + 1;
      p := pando.moment_ms(pando.moment_over(p));
      p.ms := p.ms - 86400000;
      p := pando.moment_clear(p);
    END IF;
  END IF;
  RETURN p;
END $$;

-- Adds months and years, and what is left over of the date as days.
CREATE OR REPLACE FUNCTION pando.moment_shift(p pando.moment, years int, months int)
RETURNS pando.moment LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  carry int;
BEGIN
  p := pando.moment_time(pando.moment_date(p));
  IF p.failed THEN
    RETURN p;
  END IF;
  p.y := p.y + years; p.mo := p.mo + months;
  carry := CASE WHEN p.mo > 0 THEN (p.mo - 1) / 12 ELSE (p.mo - 12) / 12 END;
  p.y := p.y + carry; p.mo := p.mo - carry * 12;
  p.has_ms := false;
  RETURN pando.moment_over(p);
END $$;

-- A modifier that adds: `+1 day`, `-0001-02-03 04:05` or `+04:05:06`.
CREATE OR REPLACE FUNCTION pando.moment_add(p pando.moment, val text) RETURNS pando.moment
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  part text[];
  clock text;
  number float8;
  factor float8;
  bound float8;
  sign int;
  q pando.moment;
BEGIN
  part := regexp_match(val, '^([+-])([0-9]{4,5})-([0-9]{2})-([0-9]{2})(?:[ \t\n\v\f\r]([0-9]{2}:[0-9]{2}.*))?$');
  IF part IS NOT NULL THEN
    IF part[2]::int > 14712 OR part[3]::int >= 12 OR part[4]::int >= 31 THEN
      RETURN NULL;
    END IF;
    sign := (part[1] || '1')::int;
    p := pando.moment_ms(pando.moment_shift(p, sign * part[2]::int, sign * part[3]::int));
    p := pando.moment_clear(p);
    p.ms := p.ms + sign * part[4]::int8 * 86400000;
    clock := part[5];
    IF clock IS NULL THEN
      RETURN p;
    END IF;
  ELSE
    part := regexp_match(val, '^([+-]?)([0-9]+:.*)$');
    sign := CASE WHEN part[1] = '-' THEN -1 ELSE 1 END;
    clock := part[2];
  END IF;
  IF clock IS NOT NULL THEN
    q := ROW(0, 2000, 1, 1, 0, 0, 0, 0, false, false, false, 0, false, false, false, false);
    q := pando.moment_clock(q, clock);
    IF q.has_ms IS NULL THEN
      RETURN NULL;
    END IF;
    q := pando.moment_ms(q);
    p := pando.moment_clear(pando.moment_ms(p));
    p.ms := p.ms + sign * mod(q.ms - 43200000, 86400000);
    RETURN p;
  END IF;
  part := regexp_match(val, '^([^ \t\n\v\f\r]+)[ \t\n\v\f\r]+(.{3,10})$');
  number := pando.float(part[1]);
  clock := regexp_replace(lower(part[2] COLLATE "C"), 's$', '');
  SELECT u.factor, u.bound INTO factor, bound FROM (VALUES
    ('second', 1::float8, 4.6427e+14::float8), ('minute', 60, 7.7379e+12), ('hour', 3600, 1.2897e+11),
    ('day', 86400, 5373485), ('month', 2592000, 176546), ('year', 31536000, 14713)
  ) u(name, factor, bound) WHERE u.name = clock;
  IF number IS NULL OR factor IS NULL OR abs(number) >= bound THEN
    RETURN NULL;
  END IF;
  p := pando.moment_ms(p);
  p.over := 0;
  -- The half that rounds has the sign of the whole number, not of what is left of it.
  sign := CASE WHEN number < 0 THEN -1 ELSE 1 END;
  IF clock IN ('month', 'year') THEN
    p := pando.moment_shift(p,
      CASE WHEN clock = 'year' THEN trunc(number)::int ELSE 0 END,
      CASE WHEN clock = 'month' THEN trunc(number)::int ELSE 0 END);
    number := number - trunc(number);
  END IF;
  p := pando.moment_ms(p);
  p.ms := p.ms + trunc(number * 1000 * factor + sign * 0.5)::int8;
  RETURN pando.moment_clear(p);
END $$;

-- Applies a modifier; NULL if there is no such one.
CREATE OR REPLACE FUNCTION pando.moment_modify(p pando.moment, val text, first boolean)
RETURNS pando.moment LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  word text := lower(val COLLATE "C");
  number float8;
  day int;
BEGIN
  IF word ~ '^[+0-9-]' THEN
    RETURN pando.moment_add(p, val);
  ELSIF word LIKE 'start of %' OR word LIKE 'end of %' THEN
    RETURN pando.moment_bound(p, regexp_replace(word, '^(start|end) of ', ''), word LIKE 'end%');
  ELSIF word IN ('subsec', 'subsecond') THEN
    p.subsec := true;
    RETURN p;
  ELSIF word = 'localtime' OR (word = 'utc' AND NOT p.utc) THEN
    -- What was wrong before is forgotten.
    p := pando.moment_ms(p);
    p.subsec := p.subsec AND word = 'localtime' AND NOT p.failed;
    p.has_ms := true; p.failed := false; p.utc := word = 'utc';
    RETURN pando.moment_clear(p);
  ELSIF word = 'utc' THEN
    RETURN p;
  ELSIF word IN ('ceiling', 'floor') THEN
    p := pando.moment_ms(p);
    p.ms := p.ms - CASE WHEN word = 'floor' THEN p.over * 86400000::int8 ELSE 0 END;
    p.over := CASE WHEN word = 'floor' THEN p.over ELSE 0 END;
    RETURN pando.moment_clear(p);
  ELSIF word = 'auto' AND first THEN
    IF p.raw AND NOT p.has_ms AND p.s BETWEEN -210866760000 AND 253402300799 THEN
      p := pando.moment_clear(p);
      p.ms := trunc(p.s * 1000 + 210866760000000 + 0.5)::int8; p.has_ms := true; p.raw := false;
    ELSIF p.has_ms THEN
      p.raw := false;
    END IF;
    RETURN p;
  ELSIF word = 'julianday' AND first AND p.has_ms AND p.raw THEN
    p.raw := false;
    RETURN p;
  ELSIF word = 'unixepoch' AND first AND p.raw THEN
    number := CASE WHEN abs(p.s) < 1e15 THEN p.s * 1000 + 210866760000000 ELSE -1 END;
    IF number >= 0 AND number < 464269060800000 THEN
      p := pando.moment_clear(p);
      p.ms := trunc(number + 0.5)::int8; p.has_ms := true; p.raw := false;
      RETURN p;
    END IF;
    RETURN NULL;
  ELSIF word LIKE 'weekday %' THEN
    number := pando.float(substr(word, 9));
    IF number IS NULL OR abs(number) > 6 OR number <> trunc(number) THEN
      RETURN NULL;
    END IF;
    p := pando.moment_time(pando.moment_date(p));
    p.tz := 0; p.has_ms := false;
    p := pando.moment_ms(p);
    day := mod((p.ms + 129600000) / 86400000, 7);
    IF day <> abs(number)::int THEN
      day := CASE WHEN day > abs(number)::int THEN day - 7 ELSE day END;
      p.ms := p.ms + (abs(number)::int - day) * 86400000::int8;
      p.ms := p.ms - CASE WHEN strpos(word, '-') > 0 THEN 7 * 86400000::int8 ELSE 0 END;
    END IF;
    RETURN pando.moment_clear(p);
  END IF;
  RETURN NULL;
END $$;

-- Days since the first of January.
CREATE OR REPLACE FUNCTION pando.moment_year_day(p pando.moment) RETURNS int
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  q pando.moment := p;
BEGIN
  q.has_ms := false; q.mo := 1; q.d := 1;
  q := pando.moment_ms(q);
  RETURN (p.ms - q.ms + 43200000) / 86400000;
END $$;

-- One field of a format; NULL if there is no such one.
CREATE OR REPLACE FUNCTION pando.moment_field(p pando.moment, field text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  monday int := mod((p.ms + 43200000) / 86400000, 7);
  sunday int := mod((p.ms + 129600000) / 86400000, 7);
  noon int := CASE WHEN p.h > 12 THEN p.h - 12 WHEN p.h = 0 THEN 12 ELSE p.h END;
  q pando.moment := p;
  mantissa text;
BEGIN
  IF field IN ('G', 'g', 'V') THEN
    -- The Thursday of the same week.
    q.ms := q.ms + (3 - monday) * 86400000; q.has_date := false;
    q := pando.moment_date(q);
  END IF;
  CASE field
    WHEN 'd' THEN RETURN lpad(p.d::text, 2, '0');
    WHEN 'e' THEN RETURN lpad(p.d::text, 2);
    WHEN 'f' THEN RETURN to_char(least(p.s, 59.999), 'FM00.000');
    WHEN 'F' THEN RETURN pando.moment_field(p, 'Y') || '-' || lpad(p.mo::text, 2, '0') || '-' || lpad(p.d::text, 2, '0');
    WHEN 'G' THEN RETURN pando.moment_field(q, 'Y');
    WHEN 'g' THEN RETURN to_char(mod(q.y, 100), 'FM00');
    WHEN 'H' THEN RETURN lpad(p.h::text, 2, '0');
    WHEN 'k' THEN RETURN lpad(p.h::text, 2);
    WHEN 'I' THEN RETURN lpad(noon::text, 2, '0');
    WHEN 'l' THEN RETURN lpad(noon::text, 2);
    WHEN 'j' THEN RETURN lpad((pando.moment_year_day(p) + 1)::text, 3, '0');
    WHEN 'J' THEN
      mantissa := ltrim(to_char(p.ms / 86400000.0::float8, '9.999999999999999EEEE'));
      IF p.ms BETWEEN 1 AND 8639 THEN
        RETURN rtrim(rtrim(split_part(mantissa, 'e', 1), '0'), '.') || 'e' || split_part(mantissa, 'e', 2);
      END IF;
      RETURN trim_scale(mantissa::numeric)::text;
    WHEN 'm' THEN RETURN lpad(p.mo::text, 2, '0');
    WHEN 'M' THEN RETURN lpad(p.mi::text, 2, '0');
    WHEN 'p' THEN RETURN CASE WHEN p.h >= 12 THEN 'PM' ELSE 'AM' END;
    WHEN 'P' THEN RETURN CASE WHEN p.h >= 12 THEN 'pm' ELSE 'am' END;
    WHEN 'R' THEN RETURN lpad(p.h::text, 2, '0') || ':' || lpad(p.mi::text, 2, '0');
    WHEN 's' THEN
      IF p.subsec THEN
        RETURN to_char((p.ms - 210866760000000) / 1000.0::numeric, 'FM99999999999990.000');
      END IF;
      RETURN (p.ms / 1000 - 210866760000)::text;
    WHEN 'S' THEN RETURN lpad(trunc(p.s)::text, 2, '0');
    WHEN 'T' THEN RETURN pando.moment_field(p, 'R') || ':' || lpad(trunc(p.s)::text, 2, '0');
    WHEN 'u' THEN RETURN CASE WHEN sunday = 0 THEN 7 ELSE sunday END::text;
    WHEN 'w' THEN RETURN sunday::text;
    WHEN 'U' THEN RETURN lpad(((pando.moment_year_day(p) - sunday + 7) / 7)::text, 2, '0');
    WHEN 'V' THEN RETURN lpad((pando.moment_year_day(q) / 7 + 1)::text, 2, '0');
    WHEN 'W' THEN RETURN lpad(((pando.moment_year_day(p) - monday + 7) / 7)::text, 2, '0');
    WHEN 'Y' THEN RETURN to_char(p.y, CASE WHEN p.y BETWEEN -999 AND -1 THEN 'FM000' ELSE 'FM0000' END);
    WHEN '%' THEN RETURN '%';
    ELSE RETURN NULL;
  END CASE;
END $$;

-- A time value after its modifiers, as the format says; NULL where any of them is wrong.
CREATE OR REPLACE FUNCTION pando.strftime(format text, val pando.value, modifiers text[])
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  p pando.moment;
  modifier text;
  first boolean := true;
  rest text := format;
  result text := '';
  mark int;
BEGIN
  IF format IS NULL OR val IS NULL THEN
    RETURN NULL;
  END IF;
  -- Dates as PocketBase stores them, and what is mostly asked of them: ten times as fast.
  IF cardinality(modifiers) = 0 AND format !~ '%([^YmdHMSfFTR]|$)' AND val.t ~
    '^\d{4}-(\d\d-([01]\d|2[0-8])|(0[13578]|1[02])-(29|3[01])|(0[469]|11)-(29|30)) ([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$'
    AND val.t ~ '^.{5}(0[1-9]|1[0-2])-(0[1-9]|[1-3])' THEN
    result := replace(replace(replace(format, '%F', '%Y-%m-%d'), '%T', '%H:%M:%S'), '%R', '%H:%M');
    result := replace(replace(result, '%Y', left(val.t, 4)), '%m', substr(val.t, 6, 2));
    result := replace(replace(result, '%d', substr(val.t, 9, 2)), '%H', substr(val.t, 12, 2));
    result := replace(replace(result, '%M', substr(val.t, 15, 2)), '%S', substr(val.t, 18, 2));
    RETURN replace(result, '%f', substr(val.t, 18, 6));
  END IF;
  p := pando.moment(val);
  FOREACH modifier IN ARRAY modifiers LOOP
    EXIT WHEN p.has_ms IS NULL;
    p := CASE WHEN modifier IS NOT NULL THEN pando.moment_modify(p, modifier, first) END;
    first := false;
  END LOOP;
  p := CASE WHEN p.has_ms IS NOT NULL THEN pando.moment_ms(p) END;
  IF p.has_ms IS NULL OR p.failed OR p.ms < 0 OR p.ms > 464269060799999 THEN
    RETURN NULL;
  END IF;
  IF cardinality(modifiers) = 0 AND p.d > 28 THEN
    -- 31 February is 3 March.
    p.has_date := false;
  END IF;
  p := pando.moment_time(pando.moment_date(p));
  LOOP
    mark := strpos(rest, '%');
    EXIT WHEN mark = 0;
    result := result || left(rest, mark - 1) || pando.moment_field(p, substr(rest, mark + 1, 1));
    rest := substr(rest, mark + 2);
  END LOOP;
  RETURN result || rest;
END $$;

-- Versions.

-- Fails: collections or settings are not those that the caller knows.
CREATE OR REPLACE FUNCTION pando.refuse_version() RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RAISE EXCEPTION 'collections or settings have changed' USING ERRCODE = 'PV001';
END $$;
