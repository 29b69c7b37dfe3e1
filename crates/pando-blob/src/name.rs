//! Names of stored files, made from what clients call them.
//!
//! Source: PocketBase's `tools/filesystem/file.go` and `tools/inflector`: a snake-case base of at
//! most 100 characters, a random part of 10, an extension of at most 21.

use rand::{Rng, RngCore};

use crate::Mime;

/// Only so many bytes at the end of the client's name are looked at.
const LOOKED_AT_BYTES: usize = 300;
/// Longest kept extension without its dot.
const EXTENSION_BYTES_MAX: usize = 20;
const BASE_BYTES_MIN: usize = 3;
const BASE_BYTES_MAX: usize = 100;
const RANDOM_LENGTH: usize = 10;
const RANDOM_ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// The name that a file is stored under, for example `my_photo_x1y2z3a4b5.png`. Always ASCII
/// letters, digits and `_.*-+=#`. `head` is the beginning of the content, which decides the
/// extension when the name has none.
pub fn unique_name(original: &str, head: &[u8], random: &mut dyn RngCore) -> String {
    // Cut by bytes as PocketBase does; halves of characters vanish below.
    let bytes = original.as_bytes();
    let looked_at = &bytes[bytes.len().saturating_sub(LOOKED_AT_BYTES)..];
    let (base, extension) = looked_at.split_at(extension_start(looked_at));

    let mut name = snake_case(trim_dots(base));
    if name.len() < BASE_BYTES_MIN {
        push_random(&mut name, random);
    }
    name.truncate(BASE_BYTES_MAX);
    name.push('_');
    push_random(&mut name, random);
    name.push_str(&clean_extension(extension, head));
    name
}

/// The last part of a path that a client sent as a file name, as Go's multipart reader takes it:
/// never empty and without slashes, except that `/` stays `/`.
pub fn base_name(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return "/";
    }
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

/// Where the extension begins: at the last dot but one, or else at the last, or else at the end.
fn extension_start(name: &[u8]) -> usize {
    let mut dots = name.iter().enumerate().rev().filter(|(_, byte)| **byte == b'.');
    let last = dots.next().map_or(name.len(), |(index, _)| index);
    dots.next().map_or(last, |(index, _)| index)
}

fn clean_extension(extension: &[u8], head: &[u8]) -> String {
    let kept: Vec<u8> = extension
        .iter()
        .copied()
        .filter(|byte| byte.is_ascii_alphanumeric() || b"_.*-+=#".contains(byte))
        .collect();
    let kept = trim_dots(&kept);
    if kept.is_empty() {
        return Mime::detect(head).extension().to_owned();
    }
    let excess = (kept.len() + 1).saturating_sub(EXTENSION_BYTES_MAX);
    // PocketBase keeps the last 20 characters of extension and dot, and adds a dot again.
    let kept = if excess > 0 { trim_dots(&kept[excess - 1..]) } else { kept };
    format!(".{}", String::from_utf8_lossy(kept))
}

/// Words of letters and digits in lower case, joined by `_`, with breaks before capitals that
/// follow something else.
fn snake_case(text: &[u8]) -> String {
    let mut result = String::with_capacity(text.len() + 16);
    let words = text.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    for word in words {
        if !result.is_empty() {
            result.push('_');
        }
        for (index, byte) in word.iter().enumerate() {
            if byte.is_ascii_uppercase() && index > 0 && !word[index - 1].is_ascii_uppercase() {
                result.push('_');
            }
            result.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    result
}

fn trim_dots(mut text: &[u8]) -> &[u8] {
    while let [b'.', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b'.'] = text {
        text = rest;
    }
    text
}

fn push_random(name: &mut String, random: &mut dyn RngCore) {
    for _ in 0..RANDOM_LENGTH {
        name.push(char::from(RANDOM_ALPHABET[random.random_range(0..RANDOM_ALPHABET.len())]));
    }
}

#[cfg(test)]
mod tests;
