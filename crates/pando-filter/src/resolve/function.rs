//! Resolves calls of functions.
//!
//! Source: PocketBase `tools/search/token_functions.go`.

use super::Resolver;
use crate::compare::{NullFallback, Resolved};
use crate::error::FilterError;
use crate::expr::Operand;
use crate::term::Term;

/// Arguments of `strftime` at most.
const STRFTIME_ARGUMENTS_MAX: usize = 10;

impl Resolver<'_> {
    pub(super) fn call(
        &mut self,
        function: &str,
        arguments: &[Operand],
    ) -> Result<Resolved, FilterError> {
        match function {
            "geoDistance" => self.geo_distance(arguments),
            "strftime" => self.strftime(arguments),
            _ => Err(FilterError::UnknownFunction(function.to_owned())),
        }
    }

    /// `geoDistance(lonA, latA, lonB, latB)`: kilometres between two points.
    fn geo_distance(&mut self, arguments: &[Operand]) -> Result<Resolved, FilterError> {
        let error = |message| FilterError::Arguments { function: "geoDistance", message };
        let [lon_a, lat_a, lon_b, lat_b] = arguments else {
            return Err(error(format!("expected 4 arguments, got {}", arguments.len())));
        };
        let mut number = |index: usize, argument: &Operand| {
            if !matches!(argument, Operand::Identifier(_) | Operand::Number(_)) {
                return Err(error(format!("argument {index} must be an identifier or number")));
            }
            let resolved = self
                .operand(argument)
                .map_err(|cause| error(format!("failed to resolve argument {index}: {cause}")))?;
            Ok(resolved.term)
        };
        let terms = [number(0, lon_a)?, number(1, lat_a)?, number(2, lon_b)?, number(3, lat_b)?];
        let mut distance = Resolved::from(Term::GeoDistance(Box::new(terms)));
        distance.fallback = NullFallback::Disabled;
        Ok(distance)
    }

    /// `strftime(format, time, modifiers…)`: a date as text, as SQLite formats it.
    fn strftime(&mut self, arguments: &[Operand]) -> Result<Resolved, FilterError> {
        let error = |message| FilterError::Arguments { function: "strftime", message };
        let Some((format, rest)) = arguments.split_first() else {
            return Err(error("expected at least 1 arguments, got 0".to_owned()));
        };
        if arguments.len() > STRFTIME_ARGUMENTS_MAX {
            let (max, count) = (STRFTIME_ARGUMENTS_MAX, arguments.len());
            return Err(error(format!("too many arguments (max allowed {max}, got {count})")));
        }
        if !matches!(format, Operand::Text(_)) {
            let message = "expects the first argument to be a format string";
            return Err(error(message.to_owned()));
        }
        let format = self.operand(format)?.term;
        let Some((time, modifiers)) = rest.split_first() else {
            let mut now = Resolved::from(Term::Strftime(vec![format]));
            now.fallback = NullFallback::Enforced;
            return Ok(now);
        };
        if matches!(time, Operand::Call { .. }) {
            let message = "expects the second argument to be of a valid time-value type";
            return Err(error(message.to_owned()));
        }
        let time = self
            .operand(time)
            .map_err(|cause| error(format!("failed to resolve time-value argument: {cause}")))?;
        let mut extra = Vec::with_capacity(modifiers.len());
        for (index, modifier) in modifiers.iter().enumerate() {
            if !matches!(modifier, Operand::Text(_)) {
                let message = format!("invalid modifier argument {index} - can be only string");
                return Err(error(message));
            }
            extra.push(self.operand(modifier)?.term);
        }
        let formatted = |time: Term| {
            let terms = [format.clone(), time].into_iter().chain(extra.iter().cloned());
            Term::Strftime(terms.collect())
        };
        let mut result = Resolved::from(formatted(time.term));
        result.fallback = NullFallback::Enforced;
        result.matches = time.matches.map(|mut matches| {
            matches.value = formatted(matches.value);
            matches
        });
        Ok(result)
    }
}
