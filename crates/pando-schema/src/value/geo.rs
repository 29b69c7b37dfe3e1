//! Geographic points: `{"lon":…,"lat":…}`.
//!
//! Source: PocketBase `tools/types/geo_point.go`.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::Value as Json;

use super::{Value, write_number};

/// A point from an object or from the JSON text of one. Reading stops at the first member that
/// is not a number; those before it count, as with Go's streaming decoder.
pub(super) fn point_of(input: &Json) -> Value {
    match input {
        Json::String(text) => point_of_text(text),
        Json::Object(members) => {
            let mut point = Point::default();
            // An object has no order by the time PocketBase reads it; this is one of two.
            for name in ["lon", "lat"] {
                match members.get(name) {
                    None => {}
                    Some(member) => match coordinate(member) {
                        Some(number) => point.put(name, number),
                        None => break,
                    },
                }
            }
            point.into_value()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => {
            Point::default().into_value()
        }
    }
}

pub(super) fn point_of_text(text: &str) -> Value {
    let mut point = Point::default();
    // A mistake ends the reading, and what was read stays.
    let _ = serde_json::Deserializer::from_str(text).deserialize_map(PointVisitor(&mut point));
    point.into_value()
}

pub(super) fn write_point(lon: f64, lat: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"lon\":");
    write_number(lon, out);
    out.extend_from_slice(b",\"lat\":");
    write_number(lat, out);
    out.push(b'}');
}

fn coordinate(member: &Json) -> Option<f64> {
    match member {
        Json::Null => Some(0.0),
        Json::Number(number) => number.as_f64(),
        Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

#[derive(Default)]
struct Point {
    lon: f64,
    lat: f64,
}

impl Point {
    fn put(&mut self, name: &str, number: f64) {
        match name {
            "lon" => self.lon = number,
            "lat" => self.lat = number,
            _ => {}
        }
    }

    fn into_value(self) -> Value {
        Value::GeoPoint { lon: self.lon, lat: self.lat }
    }
}

struct PointVisitor<'a>(&'a mut Point);

impl<'de> Visitor<'de> for PointVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with lon and lat")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let (mut lon_seen, mut lat_seen) = (false, false);
        while let Some(name) = members.next_key::<String>()? {
            let seen = match name.as_str() {
                "lon" => &mut lon_seen,
                "lat" => &mut lat_seen,
                _ => {
                    members.next_value::<serde::de::IgnoredAny>()?;
                    continue;
                }
            };
            if std::mem::replace(seen, true) {
                return Err(serde::de::Error::custom("repeated name"));
            }
            let number = members.next_value::<Option<f64>>()?.unwrap_or(0.0);
            self.0.put(&name, number);
        }
        Ok(())
    }
}
