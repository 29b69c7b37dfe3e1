//! Sizes of thumbs and how one is made from an image.
//!
//! Source: `CreateThumb` in PocketBase's `tools/filesystem`, which uses the Go library `imaging`
//! with its linear filter.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits,
};

use crate::BlobError;
use crate::pixels::{self, Area, Pixels};

/// Sizes that every file field has.
const DEFAULT_SIZES: [&str; 1] = ["100x100"];
/// Types of files that thumbs are made of.
const SOURCE_TYPES: [&str; 5] = ["image/png", "image/jpg", "image/jpeg", "image/gif", "image/webp"];
/// Longest side of a thumb, in pixels.
const SIDE_PIXELS_MAX: u32 = 10_000;
/// Longest side of an image that thumbs are made of. PNG alone allows more.
const SOURCE_SIDE_PIXELS_MAX: u32 = 65_535;
/// `imaging`'s default.
const JPEG_QUALITY: u8 = 95;
/// How coarsely the palette is chosen, 1 to 30; the quantizer's authors suggest 10.
const GIF_SPEED: i32 = 10;
/// Bytes that decoding may take for each pixel of the largest allowed image.
const DECODE_BYTES_PER_PIXEL: u64 = 16;
/// Images whose sides are both at least so long are cropped before they are scaled, smaller ones
/// after, as `imaging` does.
const CROP_FIRST_PIXELS: u32 = 100;

/// A thumb could not be made; the original is served then.
#[derive(Debug, thiserror::Error)]
pub enum ThumbError {
    #[error("the thumb size {0:?} or the original file format are not supported")]
    Unsupported(String),
    #[error("the image or its thumb has too long a side or more than {pixels_max} pixels")]
    TooManyPixels { pixels_max: u64 },
    #[error("failed to read the image")]
    Decode(#[source] image::ImageError),
    #[error("failed to write the thumb")]
    Encode(#[source] image::ImageError),
    #[error("the image decoder gave up")]
    Panicked,
    #[error("too many thumbs are being made")]
    Busy,
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// A size such as `100x50t`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThumbSize {
    text: String,
    width: u32,
    height: u32,
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Fill the box, dropping what sticks out at both ends.
    Center,
    /// Fill the box, dropping the bottom.
    Top,
    /// Fill the box, dropping the top.
    Bottom,
    /// Fit into the box.
    Fit,
}

impl ThumbSize {
    /// Accepts `WxH`, `WxHt`, `WxHb`, `WxHf`; one of width and height may be 0, which keeps the
    /// aspect ratio. Sides are at most 10,000 pixels.
    pub fn parse(text: &str) -> Option<ThumbSize> {
        let (width, rest) = text.split_once('x')?;
        let (height, mode) = match rest.as_bytes().last()? {
            b't' => (&rest[..rest.len() - 1], Mode::Top),
            b'b' => (&rest[..rest.len() - 1], Mode::Bottom),
            b'f' => (&rest[..rest.len() - 1], Mode::Fit),
            _ => (rest, Mode::Center),
        };
        let (width, height) = (side(width)?, side(height)?);
        let valid = width > 0 || height > 0;
        valid.then(|| ThumbSize { text: text.to_owned(), width, height, mode })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn side(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|side| plain && *side <= SIDE_PIXELS_MAX)
}

/// Whether a size that a client asks for is one of the field's or a default one.
pub fn size_allowed(size: &str, field_sizes: &[String]) -> bool {
    DEFAULT_SIZES.contains(&size) || field_sizes.iter().any(|allowed| allowed == size)
}

/// Whether thumbs are made of files of this type.
pub(crate) fn type_supported(content_type: &str) -> bool {
    SOURCE_TYPES.contains(&content_type)
}

/// Makes a thumb of an image of the given type; returns its content and type. Takes long: not
/// for async threads.
pub(crate) fn make(
    original: &[u8],
    content_type: &str,
    size: &ThumbSize,
    pixels_max: u64,
) -> Result<(Vec<u8>, &'static str), ThumbError> {
    let image = decode(original, pixels_max)?;
    let converted;
    let pixels = match Pixels::of(&image) {
        Some(pixels) => pixels,
        None => {
            converted = image.to_rgba8();
            Pixels::of_rgba(&converted)
        }
    };
    let thumb = scale(&pixels, size, pixels_max)?;
    encode(&thumb, content_type)
}

/// Reads the first frame, turned upright if it is a photo that says how it was taken.
fn decode(original: &[u8], pixels_max: u64) -> Result<DynamicImage, ThumbError> {
    let reader = ImageReader::new(Cursor::new(original)).with_guessed_format();
    let mut reader = reader.map_err(|error| ThumbError::Decode(error.into()))?;
    let upright = reader.format() != Some(ImageFormat::Jpeg);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(pixels_max.saturating_mul(DECODE_BYTES_PER_PIXEL));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(ThumbError::Decode)?;
    let (width, height) = decoder.dimensions();
    let side_max = width.max(height);
    if u64::from(width) * u64::from(height) > pixels_max || side_max > SOURCE_SIDE_PIXELS_MAX {
        return Err(ThumbError::TooManyPixels { pixels_max });
    }
    // A photo with unreadable metadata is taken as it is.
    let orientation = if upright { None } else { decoder.orientation().ok() };
    let mut image = DynamicImage::from_decoder(decoder).map_err(ThumbError::Decode)?;
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Ok(image)
}

fn scale(
    image: &Pixels<'_>,
    size: &ThumbSize,
    pixels_max: u64,
) -> Result<Pixels<'static>, ThumbError> {
    let resize = |image: &Pixels<'_>, area, width, height| {
        let resized = pixels::resize(image, area, width, height, pixels_max);
        resized.ok_or(ThumbError::TooManyPixels { pixels_max })
    };
    let (width, height) = (image.width, image.height);
    let whole = Area { x: 0, y: 0, width, height };
    if size.width == 0 || size.height == 0 {
        let (width, height) = keep_ratio(width, height, size.width, size.height);
        return resize(image, whole, width, height);
    }
    if size.mode == Mode::Fit {
        let (width, height) = fit(width, height, size);
        return resize(image, whole, width, height);
    }
    let (ratio, wanted) = (ratio(width, height), ratio(size.width, size.height));
    if width >= CROP_FIRST_PIXELS && height >= CROP_FIRST_PIXELS {
        let area = if ratio < wanted {
            let kept = f64::from(width) * f64::from(size.height) / f64::from(size.width);
            crop(whole, width, round(kept.max(1.0)), size.mode)
        } else {
            let kept = f64::from(height) * f64::from(size.width) / f64::from(size.height);
            crop(whole, round(kept.max(1.0)), height, size.mode)
        };
        return resize(image, area, size.width, size.height);
    }
    let (scaled_width, scaled_height) = if ratio < wanted {
        keep_ratio(width, height, size.width, 0)
    } else {
        keep_ratio(width, height, 0, size.height)
    };
    let scaled = resize(image, whole, scaled_width, scaled_height)?;
    let whole = Area { x: 0, y: 0, width: scaled_width, height: scaled_height };
    let area = crop(whole, size.width, size.height, size.mode);
    resize(&scaled, area, area.width, area.height)
}

fn ratio(width: u32, height: u32) -> f64 {
    f64::from(width) / f64::from(height)
}

fn round(length: f64) -> u32 {
    (length + 0.5) as u32
}

/// The side that is 0 follows from the other; at least 1, at most what thumbs may have.
fn keep_ratio(width: u32, height: u32, wanted_width: u32, wanted_height: u32) -> (u32, u32) {
    let bounded = |length: f64| round(length).clamp(1, SIDE_PIXELS_MAX);
    if wanted_width == 0 {
        let scaled = f64::from(wanted_height) * f64::from(width) / f64::from(height);
        (bounded(scaled), wanted_height)
    } else {
        let scaled = f64::from(wanted_width) * f64::from(height) / f64::from(width);
        (wanted_width, bounded(scaled))
    }
}

/// The largest size with the image's ratio within the box; never larger than the image.
fn fit(width: u32, height: u32, size: &ThumbSize) -> (u32, u32) {
    if width <= size.width && height <= size.height {
        return (width, height);
    }
    let ratio = ratio(width, height);
    if ratio > f64::from(size.width) / f64::from(size.height) {
        let scaled = (f64::from(size.width) / ratio) as u32;
        if scaled == 0 { keep_ratio(width, height, size.width, 0) } else { (size.width, scaled) }
    } else {
        let scaled = (f64::from(size.height) * ratio) as u32;
        if scaled == 0 { keep_ratio(width, height, 0, size.height) } else { (scaled, size.height) }
    }
}

/// The part of `area` of the given size, at its middle, top or bottom.
fn crop(area: Area, width: u32, height: u32, mode: Mode) -> Area {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let (free_x, free_y) = (area.width - width, area.height - height);
    let y = match mode {
        Mode::Top => 0,
        Mode::Bottom => free_y,
        Mode::Center | Mode::Fit => free_y / 2,
    };
    Area { x: area.x + free_x / 2, y: area.y + y, width, height }
}

/// Writes a thumb in its original's format; PNG instead of WebP and others.
fn encode(thumb: &Pixels<'_>, content_type: &str) -> Result<(Vec<u8>, &'static str), ThumbError> {
    let (width, height) = (thumb.width, thumb.height);
    let mut content = Vec::new();
    let written_type = match content_type {
        "image/jpeg" => {
            let encoder = JpegEncoder::new_with_quality(&mut content, JPEG_QUALITY);
            let opaque = thumb.opaque();
            let color =
                if opaque.channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
            encoder.write_image(&opaque.bytes, width, height, color).map(|()| "image/jpeg")
        }
        "image/gif" => {
            let rgba = thumb.with_alpha();
            let mut encoder = GifEncoder::new_with_speed(&mut content, GIF_SPEED);
            let encoded = encoder.encode(&rgba.bytes, width, height, ExtendedColorType::Rgba8);
            encoded.map(|()| "image/gif")
        }
        _ => {
            // The default is meant for speed; thumbs are written once and read often.
            let (compression, filter) = (CompressionType::Default, FilterType::Adaptive);
            let encoder = PngEncoder::new_with_quality(&mut content, compression, filter);
            encoder.write_image(&thumb.bytes, width, height, thumb.color()).map(|()| "image/png")
        }
    };
    let written_type = written_type.map_err(ThumbError::Encode)?;
    Ok((content, written_type))
}

#[cfg(test)]
mod tests;
