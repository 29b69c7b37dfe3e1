//! Comparisons as SQLite makes them.
//!
//! Source: <https://sqlite.org/datatype3.html#comparison_expressions>, `expr.c`
//! (`sqlite3CompareAffinity`).

use super::expression::null_test;
use super::typed::{Affinity, Collate, Kind, Typed};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Is,
    IsNot,
}

impl Compare {
    fn sign(self) -> &'static str {
        match self {
            Compare::Equal => "=",
            Compare::NotEqual => "<>",
            Compare::Less => "<",
            Compare::LessOrEqual => "<=",
            Compare::Greater => ">",
            Compare::GreaterOrEqual => ">=",
            Compare::Is => "IS NOT DISTINCT FROM",
            Compare::IsNot => "IS DISTINCT FROM",
        }
    }

    /// The comparison, or why there is none.
    pub(super) fn write(self, left: &Typed, right: &Typed) -> Result<Typed, String> {
        if left.kind == Kind::Null || right.kind == Kind::Null {
            let other = if left.kind == Kind::Null { right } else { left };
            return Ok(match self {
                Compare::Is => null_test(other, false),
                Compare::IsNot => null_test(other, true),
                _ => Typed::new(Kind::Bool, "NULL::boolean"),
            });
        }
        let (left, right) = self.sides(left, right)?;
        Ok(Typed::new(Kind::Bool, format!("({left} {} {right})", self.sign())))
    }

    /// Both sides in one type, in which they compare as in SQLite.
    pub(super) fn sides(self, left: &Typed, right: &Typed) -> Result<(String, String), String> {
        if left.kind == Kind::Bytes || right.kind == Kind::Bytes {
            return Err("bytes cannot be compared".to_owned());
        }
        let pull = pull(left.affinity, right.affinity);
        let numeric = pull == Affinity::Numeric;
        let (left, right) = if numeric {
            (number_of_literal(left), number_of_literal(right))
        } else {
            (left.clone(), right.clone())
        };
        if left.is_number() && right.is_number() {
            return Ok(self.numbers(&left, &right));
        }
        if pull == Affinity::Text || (left.is_text() && right.is_text()) {
            let collate = left.collate.or(right.collate).unwrap_or(Collate::Binary);
            let left = format!("{} COLLATE \"C\"", collate.applied(&left.text()));
            return Ok((left, collate.applied(&right.text())));
        }
        if left.collate.or(right.collate).is_some_and(|collate| collate != Collate::Binary) {
            return Err("values of several types cannot be compared by a collation".to_owned());
        }
        let value = |side: &Typed| match side.is_number() || !numeric {
            true => side.value(),
            false => format!("pando.numeric({})", side.value()),
        };
        Ok((value(&left), value(&right)))
    }

    fn numbers(self, left: &Typed, right: &Typed) -> (String, String) {
        let equality =
            matches!(self, Compare::Equal | Compare::NotEqual | Compare::Is | Compare::IsNot);
        match (left.kind, right.kind) {
            (Kind::Bool, Kind::Bool) if equality => (left.sql.clone(), right.sql.clone()),
            (Kind::Bool, _) if equality && truth(right).is_some() => {
                (left.sql.clone(), truth(right).unwrap_or_default().to_owned())
            }
            (_, Kind::Bool) if equality && truth(left).is_some() => {
                (truth(left).unwrap_or_default().to_owned(), right.sql.clone())
            }
            _ => (left.number().sql, right.number().sql),
        }
    }
}

/// A literal that can be compared with a truth value as one.
fn truth(typed: &Typed) -> Option<&'static str> {
    match typed.literal.as_deref()? {
        "0" => Some("FALSE"),
        "1" => Some("TRUE"),
        _ => None,
    }
}

/// What both sides of a comparison are converted to.
fn pull(left: Affinity, right: Affinity) -> Affinity {
    match (left, right) {
        (Affinity::Numeric, _) | (_, Affinity::Numeric) => Affinity::Numeric,
        (Affinity::None, other) | (other, Affinity::None) => other,
        (Affinity::Text | Affinity::Blob, Affinity::Text | Affinity::Blob) => Affinity::Blob,
    }
}

/// A literal text that is a number as that number.
fn number_of_literal(typed: &Typed) -> Typed {
    let text = typed.literal.as_deref().filter(|_| typed.kind == Kind::Text).map(str::trim);
    let number = text.filter(|text| {
        let starts = text.trim_start_matches(['-', '+']);
        // Not the words that Rust reads as numbers.
        starts.starts_with(|first: char| first.is_ascii_digit() || first == '.')
            && text.parse::<f64>().is_ok_and(f64::is_finite)
    });
    match number {
        Some(number) => {
            let plain = number.trim_start_matches('+');
            let positive = Typed::number_literal(plain.trim_start_matches('-'));
            if plain.starts_with('-') {
                Typed::new(positive.kind, format!("(-{})", positive.sql))
            } else {
                positive
            }
        }
        None => typed.clone(),
    }
}
