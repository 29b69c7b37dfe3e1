
-- SQLite's functions that PostgreSQL lacks or has with another meaning, for the queries of views.
-- Continues `functions.sql`. Here a function may fail: where SQLite fails when it runs a query, in
-- its words and with the code PV002.

-- Values.

-- The text that SQLite makes of a value.
CREATE OR REPLACE FUNCTION pando.value_text(val pando.value) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF val.c = 2 THEN
    RETURN val.t;
  ELSIF val.r <> 0 THEN
    RETURN (val.n::int8::numeric + val.r)::text;
  END IF;
  RETURN pando.number_text(val.n);
END $$;

-- The number that a text starts with.
CREATE OR REPLACE FUNCTION pando.prefix_number(val text) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN coalesce(pando.real(substring(val from
    '^[ \t\n\v\f\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)')), 0);
END $$;

-- Whether that number is an integer.
CREATE OR REPLACE FUNCTION pando.prefix_whole(val text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT $1 !~ '^[ \t\n\v\f\r]*[+-]?([0-9]*\.[0-9]|[0-9]+\.|[0-9]+[eE][+-]?[0-9])' $$;

CREATE OR REPLACE FUNCTION pando.value_number(val pando.value) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN CASE WHEN val.c = 1 THEN val.n + val.r ELSE pando.prefix_number(val.t) END;
END $$;

-- Casts to integers: without the fraction, and the nearest one where it is too large.
CREATE OR REPLACE FUNCTION pando.to_int(number float8) RETURNS int8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN $1 >= 9223372036854775807 THEN 9223372036854775807
              WHEN $1 <= -9223372036854775808 THEN -9223372036854775808
              ELSE trunc($1)::int8 END
$$;

CREATE OR REPLACE FUNCTION pando.prefix_int(val text) RETURNS int8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  digits text := substring(val from '^[ \t\n\v\f\r]*([+-]?[0-9]+)');
BEGIN
  IF digits IS NULL THEN
    RETURN 0;
  ELSIF length(digits) > 300 THEN
    RETURN CASE WHEN digits LIKE '-%' THEN -9223372036854775808 ELSE 9223372036854775807 END;
  END IF;
  RETURN greatest(least(digits::numeric, 9223372036854775807), -9223372036854775808)::int8;
END $$;

CREATE OR REPLACE FUNCTION pando.value_int(val pando.value) RETURNS int8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF val.c = 2 THEN
    RETURN pando.prefix_int(val.t);
  END IF;
  RETURN pando.to_int(val.n) + val.r;
END $$;

-- `whole` is whether a number is an integer, where that is not plain to see.
CREATE OR REPLACE FUNCTION pando.value_type(val pando.value, whole boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN $1 IS NULL THEN 'null' WHEN ($1).c = 2 THEN 'text'
              WHEN coalesce($2, ($1).n = trunc(($1).n)) THEN 'integer' ELSE 'real' END
$$;

CREATE OR REPLACE FUNCTION pando.least_value(pando.value, pando.value) RETURNS pando.value
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN $1 IS NULL OR $2 < $1 THEN $2 ELSE $1 END $$;

CREATE OR REPLACE FUNCTION pando.greatest_value(pando.value, pando.value) RETURNS pando.value
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN $1 IS NULL OR $2 > $1 THEN $2 ELSE $1 END $$;

CREATE OR REPLACE AGGREGATE pando.min(pando.value)
  (SFUNC = pando.least_value, STYPE = pando.value, PARALLEL = SAFE);

CREATE OR REPLACE AGGREGATE pando.max(pando.value)
  (SFUNC = pando.greatest_value, STYPE = pando.value, PARALLEL = SAFE);

-- Sums of real numbers, with what gets lost between them beside. After `func.c` of SQLite
-- (`kahanBabuskaStep`).
CREATE OR REPLACE FUNCTION pando.sum_step(state float8[], val float8) RETURNS float8[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  sum float8;
BEGIN
  IF val IS NULL THEN
    RETURN state;
  ELSIF state IS NULL THEN
    RETURN ARRAY[val, 0];
  END IF;
  sum := state[1] + val;
  IF abs(state[1]) > abs(val) THEN
    RETURN ARRAY[sum, state[2] + ((state[1] - sum) + val)];
  END IF;
  RETURN ARRAY[sum, state[2] + ((val - sum) + state[1])];
END $$;

-- The sum of integers, which is exact, and of the rest.
CREATE OR REPLACE FUNCTION pando.sum_total(whole float8, rest float8[]) RETURNS float8
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF rest IS NULL THEN
    RETURN whole;
  END IF;
  rest := pando.sum_step(rest, whole);
  RETURN rest[1] + CASE WHEN abs(rest[2]) < 'Infinity' THEN rest[2] ELSE 0 END;
END $$;

CREATE OR REPLACE AGGREGATE pando.sum_rest(float8)
  (SFUNC = pando.sum_step, STYPE = float8[], PARALLEL = SAFE);

-- Texts, each once, in the order in which they come first.
CREATE OR REPLACE FUNCTION pando.join_distinct(texts text[], separator text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT string_agg(val, coalesce($2, ',') ORDER BY place)
  FROM (SELECT val, min(place) FROM unnest($1) WITH ORDINALITY u(val, place) GROUP BY val) d(val, place)
$$;

-- Texts and numbers.

-- A part of a text. Characters are counted from 1, or from the end if the number is negative; a
-- negative length is that of the part before.
CREATE OR REPLACE FUNCTION pando.substr(val text, start int8, count int8) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  size int8 := length(val);
BEGIN
  start := greatest(least(start, 4000000000), -4000000000);
  count := greatest(least(count, 4000000000), -4000000000);
  IF start < 0 THEN
    start := start + size;
    IF start < 0 THEN
      count := CASE WHEN count < 0 THEN count ELSE greatest(count + start, 0) END;
      start := 0;
    END IF;
  ELSIF start > 0 THEN
    start := start - 1;
  ELSIF count > 0 THEN
    count := count - 1;
  END IF;
  IF count < 0 THEN
    count := least(-count, start);
    start := start - count;
  END IF;
  start := least(start, size);
  RETURN substr(val, start::int + 1, least(count, size - start)::int);
END $$;

CREATE OR REPLACE FUNCTION pando.substr(val text, start int8) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT pando.substr($1, $2, 4000000000) $$;

CREATE OR REPLACE FUNCTION pando.char(code int8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN $1 BETWEEN 1 AND 55295 OR $1 BETWEEN 57344 AND 1114111 THEN chr($1::int)
              WHEN $1 = 0 OR $1 IS NULL THEN '' ELSE chr(65533) END
$$;

-- Rounded in decimal, half away from zero, after 17 digits.
CREATE OR REPLACE FUNCTION pando.round(number float8, digits int8) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF abs(number) >= 4503599627370496 OR number = 0 THEN
    RETURN number;
  END IF;
  RETURN round(to_char(number, '9.9999999999999999EEEE')::numeric,
    greatest(least(digits, 30), 0)::int)::float8 + 0;
END $$;

CREATE OR REPLACE FUNCTION pando.random() RETURNS int8
LANGUAGE sql VOLATILE PARALLEL SAFE AS
$$ SELECT ('x' || substr(md5(random()::text || clock_timestamp()::text), 1, 16))::bit(64)::int8 $$;

CREATE OR REPLACE FUNCTION pando.acos(number float8) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT CASE WHEN $1 BETWEEN -1 AND 1 THEN acos($1) END $$;

CREATE OR REPLACE FUNCTION pando.cos(number float8) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT CASE WHEN abs($1) < 'Infinity' THEN cos($1) END $$;

CREATE OR REPLACE FUNCTION pando.sin(number float8) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT CASE WHEN abs($1) < 'Infinity' THEN sin($1) END $$;

CREATE OR REPLACE FUNCTION pando.radians(number float8) RETURNS float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT radians($1) $$;

-- A pattern of GLOB as a regular expression: `*`, `?` and sets of characters.
CREATE OR REPLACE FUNCTION pando.glob(pattern text, val text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  part text;
  form text := '';
BEGIN
  FOREACH part IN ARRAY ARRAY(
    SELECT m[1] FROM regexp_matches(pattern, '(\[\^?\]?[^\]]*\]|.|\n)', 'g') m
  ) LOOP
    form := form || CASE
      WHEN part = '*' THEN '.*'
      WHEN part = '?' THEN '.'
      WHEN part = '[' THEN '(?!.).' || '{2}'
      WHEN length(part) > 1 THEN regexp_replace(part, '\\', '\\\\', 'g')
      ELSE regexp_replace(part, '([^[:alnum:]_])', '\\\1')
    END;
  END LOOP;
  RETURN val COLLATE "C" ~ ('(?s)^' || form || '$');
END $$;

-- printf with %d, %i, %s, %f, %x, %X, %c and %%, widths, precisions and the flags `-+ 0,`.
CREATE OR REPLACE FUNCTION pando.printf(format text, vals pando.value[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  result text := '';
  rest text := format;
  part text[];
  body text;
  sign text;
  width int;
  place int := 0;
BEGIN
  LOOP
    part := regexp_match(rest, '^([^%]*)%([-+ 0,]*)([0-9]*)(?:\.([0-9]*))?([a-zA-Z%])(.*)$', 's');
    EXIT WHEN part IS NULL;
    result := result || part[1];
    rest := part[6];
    IF part[5] = '%' THEN
      result := result || '%';
      CONTINUE;
    END IF;
    place := place + 1;
    sign := '';
    CASE part[5]
      WHEN 'd', 'i' THEN
        body := coalesce(pando.value_int(vals[place]), 0)::text;
      WHEN 'f' THEN
        body := round(coalesce(to_char(pando.value_number(vals[place]), '9.9999999999999999EEEE')::numeric, 0),
          least(coalesce(nullif(part[4], ''), CASE WHEN part[4] = '' THEN '0' ELSE '6' END)::int, 100))::text;
      WHEN 'x' THEN
        body := to_hex(coalesce(pando.value_int(vals[place]), 0));
      WHEN 'X' THEN
        body := upper(to_hex(coalesce(pando.value_int(vals[place]), 0)));
      WHEN 'c' THEN
        body := left(coalesce(pando.value_text(vals[place]), ''), 1);
      ELSE
        body := coalesce(pando.value_text(vals[place]), '');
        body := CASE WHEN part[4] <> '' THEN left(body, least(part[4]::numeric, 1000000)::int) ELSE body END;
    END CASE;
    IF part[5] IN ('d', 'i', 'f') THEN
      sign := CASE WHEN body LIKE '-%' THEN '-' WHEN part[2] LIKE '%+%' THEN '+'
                   WHEN part[2] LIKE '% %' THEN ' ' ELSE '' END;
      body := ltrim(body, '-');
      IF part[2] LIKE '%,%' THEN
        body := regexp_replace(split_part(body, '.', 1), '([0-9])(?=([0-9]{3})+$)', '\1,', 'g')
          || CASE WHEN strpos(body, '.') > 0 THEN '.' || split_part(body, '.', 2) ELSE '' END;
      END IF;
    END IF;
    width := least(coalesce(nullif(part[3], ''), '0')::numeric, 1000000)::int - length(sign);
    IF length(body) < width THEN
      IF part[2] LIKE '%-%' THEN
        body := rpad(body, width);
      ELSIF part[2] LIKE '%0%' AND part[5] IN ('d', 'i', 'f', 'x', 'X') THEN
        body := lpad(body, width, '0');
      ELSE
        body := lpad(sign || body, width + length(sign));
        sign := '';
      END IF;
    END IF;
    result := result || sign || body;
  END LOOP;
  RETURN result || rest;
END $$;

-- JSON.

-- A text as a document. Fails as SQLite does when it runs a query on what is no JSON.
CREATE OR REPLACE FUNCTION pando.json_doc(val text) RETURNS json
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF NOT pando.json_valid(val) THEN
    RAISE EXCEPTION 'malformed JSON' USING ERRCODE = 'PV002';
  END IF;
  RETURN val::json;
END $$;

-- The content of a JSON column of a collection: numbers are numbers there, all else is text.
CREATE OR REPLACE FUNCTION pando.json_cell(doc json) RETURNS pando.value
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF json_typeof(doc) = 'number' THEN
    RETURN pando.number(doc::text);
  END IF;
  RETURN pando.t(doc::text);
END $$;

-- The value of a column of a view that is no field of a collection.
CREATE OR REPLACE FUNCTION pando.json_shown(doc json) RETURNS pando.value
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  CASE json_typeof(doc)
    WHEN 'string' THEN RETURN pando.t(pando.json_decodable(doc) #>> '{}');
    WHEN 'number' THEN RETURN pando.number(doc::text);
    WHEN 'null' THEN RETURN NULL;
    ELSE RETURN pando.t(doc::text);
  END CASE;
END $$;

CREATE OR REPLACE FUNCTION pando.json_array_length(doc json) RETURNS int
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT CASE WHEN json_typeof($1) = 'array' THEN json_array_length($1) ELSE 0 END $$;

CREATE OR REPLACE FUNCTION pando.json_type(doc json) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE json_typeof($1)
    WHEN 'string' THEN 'text'
    WHEN 'number' THEN CASE WHEN $1::text ~ '[.eE]' THEN 'real' ELSE 'integer' END
    WHEN 'boolean' THEN btrim($1::text, E' \t\n\r')
    ELSE json_typeof($1) END
$$;

-- A value as it stands in a document.
CREATE OR REPLACE FUNCTION pando.value_quoted(val pando.value) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF val IS NULL THEN
    RETURN 'null';
  ELSIF val.c = 2 THEN
    RETURN to_json(val.t)::text;
  END IF;
  RETURN pando.value_text(val);
END $$;

-- The rows of json_each, in their order. `base` is the path of the document.
CREATE OR REPLACE FUNCTION pando.json_each(doc json, base text)
RETURNS TABLE (key pando.value, value pando.value, type text, atom pando.value, fullkey text, path text, n int8)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
#variable_conflict use_column
DECLARE
  plain json := pando.json_decodable(doc);
  replaced boolean := plain::text <> doc::text;
BEGIN
  IF json_typeof(plain) = 'array' THEN
    RETURN QUERY
      SELECT pando.n(place - 1), pando.json_value(item, replaced), pando.json_type(item),
        CASE WHEN json_typeof(item) NOT IN ('array', 'object') THEN pando.json_value(item, replaced) END,
        base || '[' || place - 1 || ']', base, place
      FROM json_array_elements(plain) WITH ORDINALITY items(item, place);
  ELSIF json_typeof(plain) = 'object' THEN
    RETURN QUERY
      SELECT pando.t(name), pando.json_value(item, replaced), pando.json_type(item),
        CASE WHEN json_typeof(item) NOT IN ('array', 'object') THEN pando.json_value(item, replaced) END,
        base || '.' || CASE WHEN name ~ '^[A-Za-z][A-Za-z0-9]*$' THEN name ELSE to_json(name)::text END,
        base, place
      FROM json_each(plain) WITH ORDINALITY items(name, item, place);
  ELSE
    RETURN QUERY
      SELECT NULL::pando.value, pando.json_value(plain, replaced), pando.json_type(plain),
        pando.json_value(plain, replaced), base, base, 1::int8;
  END IF;
END $$;

-- What clients see.

-- A real number in Go's form, as PocketBase turns it into text.
CREATE OR REPLACE FUNCTION pando.shown_real(number float8) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  plain text := abs(number)::text;
  digits text;
  power int;
  sign text := CASE WHEN number < 0 THEN '-' ELSE '' END;
BEGIN
  IF plain IN ('Infinity', 'NaN') THEN
    RETURN CASE WHEN plain = 'NaN' THEN plain WHEN sign = '' THEN '+Inf' ELSE '-Inf' END;
  ELSIF number = 0 THEN
    RETURN number::text;
  END IF;
  digits := split_part(plain, 'e', 1);
  -- The power of ten of the first digit that is no zero.
  power := coalesce(nullif(split_part(plain, 'e', 2), ''), '0')::int;
  IF digits LIKE '0.%' THEN
    power := power - 1 - length(substring(digits from '^0\.(0*)'));
  ELSE
    power := power + length(split_part(digits, '.', 1)) - 1;
  END IF;
  IF power BETWEEN -4 AND 5 THEN
    RETURN sign || trim_scale(plain::numeric)::text;
  END IF;
  digits := rtrim(ltrim(replace(digits, '.', ''), '0'), '0');
  RETURN sign || left(digits, 1) || CASE WHEN length(digits) > 1 THEN '.' || substr(digits, 2) ELSE '' END
    || 'e' || CASE WHEN power < 0 THEN '-' ELSE '+' END
    || lpad(abs(power)::text, greatest(2, length(abs(power)::text)), '0');
END $$;

CREATE OR REPLACE FUNCTION pando.shown_text(val pando.value) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF val.c = 1 AND val.r = 0 AND val.n <> trunc(val.n) THEN
    RETURN pando.shown_real(val.n);
  END IF;
  RETURN pando.value_text(val);
END $$;

-- A text in a field of JSON: itself, if it looks like JSON and is, else quoted.
CREATE OR REPLACE FUNCTION pando.shown_json(val text) RETURNS json
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF (val ~ '^[0-9"[{-]' OR val IN ('null', 'true', 'false')) AND pando.json_valid(val) THEN
    RETURN val::json;
  END IF;
  RETURN to_json(val);
END $$;

-- A value in a field of numbers: what is no number counts as nothing.
CREATE OR REPLACE FUNCTION pando.shown_number(val pando.value) RETURNS float8
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN CASE WHEN val.c = 1 THEN val.n + val.r ELSE coalesce(pando.float(val.t), 0) END;
END $$;
