//! Pixels in memory and their scaling with the linear filter, as the Go library `imaging` does.

use std::borrow::Cow;

use image::{DynamicImage, ExtendedColorType, RgbaImage};

/// Rows of pixels, each of 1 (gray), 3 (red, green, blue) or 4 bytes (with alpha, not
/// premultiplied).
#[derive(Debug, Clone)]
pub(crate) struct Pixels<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) channels: usize,
    pub(crate) bytes: Cow<'a, [u8]>,
}

/// A part of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl<'a> Pixels<'a> {
    /// The pixels of an image with 8 bits per channel, `None` for other images.
    pub(crate) fn of(image: &'a DynamicImage) -> Option<Pixels<'a>> {
        let channels = match image {
            DynamicImage::ImageLuma8(_) => 1,
            DynamicImage::ImageRgb8(_) => 3,
            DynamicImage::ImageRgba8(_) => 4,
            _ => return None,
        };
        let bytes = Cow::Borrowed(image.as_bytes());
        Some(Pixels { width: image.width(), height: image.height(), channels, bytes })
    }

    pub(crate) fn of_rgba(image: &'a RgbaImage) -> Pixels<'a> {
        let bytes = Cow::Borrowed(image.as_raw().as_slice());
        Pixels { width: image.width(), height: image.height(), channels: 4, bytes }
    }

    pub(crate) fn color(&self) -> ExtendedColorType {
        match self.channels {
            1 => ExtendedColorType::L8,
            3 => ExtendedColorType::Rgb8,
            _ => ExtendedColorType::Rgba8,
        }
    }

    /// Without an alpha channel: on black, as Go's JPEG writer does.
    pub(crate) fn opaque(&self) -> Pixels<'_> {
        if self.channels != 4 {
            return Pixels { bytes: Cow::Borrowed(&self.bytes), ..*self };
        }
        let blend = |color: u8, alpha: u8| (u16::from(color) * u16::from(alpha) / 255) as u8;
        let rgba = self.bytes.chunks_exact(4);
        let rgb = rgba.flat_map(|p| [blend(p[0], p[3]), blend(p[1], p[3]), blend(p[2], p[3])]);
        Pixels { channels: 3, bytes: rgb.collect(), ..*self }
    }

    pub(crate) fn with_alpha(&self) -> Pixels<'_> {
        let pixels = self.bytes.chunks_exact(self.channels);
        let bytes = match self.channels {
            1 => pixels.flat_map(|p| [p[0], p[0], p[0], u8::MAX]).collect(),
            3 => pixels.flat_map(|p| [p[0], p[1], p[2], u8::MAX]).collect(),
            _ => Cow::Borrowed(&*self.bytes),
        };
        Pixels { channels: 4, bytes, ..*self }
    }
}

/// Scales a part of an image to `width` by `height`, neither 0. `None` if the result, or what is
/// between it and the image, has more than `pixels_max` pixels.
pub(crate) fn resize(
    image: &Pixels<'_>,
    area: Area,
    width: u32,
    height: u32,
    pixels_max: u64,
) -> Option<Pixels<'static>> {
    if u64::from(width) * u64::from(height.max(area.height)) > pixels_max {
        return None;
    }
    Some(match image.channels {
        1 => resize_channels::<1>(image, area, width, height),
        3 => resize_channels::<3>(image, area, width, height),
        _ => resize_channels::<4>(image, area, width, height),
    })
}

fn resize_channels<const N: usize>(
    image: &Pixels<'_>,
    area: Area,
    width: u32,
    height: u32,
) -> Pixels<'static> {
    let stride = image.width as usize * N;
    let row = |y: usize| {
        let start = (area.y as usize + y) * stride + area.x as usize * N;
        &image.bytes[start..start + area.width as usize * N]
    };
    // Rows first: they lie together in memory. What is kept between is as narrow as the result.
    let columns = weights(width, area.width);
    let mut narrow = vec![0; width as usize * area.height as usize * N];
    for (y, target) in narrow.chunks_exact_mut(width as usize * N).enumerate() {
        let source = row(y);
        if width == area.width {
            target.copy_from_slice(source);
            continue;
        }
        for (target, weight) in target.chunks_exact_mut(N).zip(&columns) {
            let pixels = source[weight.start * N..].chunks_exact(N);
            mix::<N>(target, pixels.zip(&weight.factors));
        }
    }
    if height == area.height {
        return Pixels { width, height, channels: N, bytes: narrow.into() };
    }
    let mut bytes = vec![0; width as usize * height as usize * N];
    let rows = bytes.chunks_exact_mut(width as usize * N);
    for (target, weight) in rows.zip(weights(height, area.height)) {
        for (x, target) in target.chunks_exact_mut(N).enumerate() {
            let first = (weight.start * width as usize + x) * N;
            let pixels = narrow[first..].chunks(width as usize * N);
            mix::<N>(target, pixels.zip(&weight.factors));
        }
    }
    Pixels { width, height, channels: N, bytes: bytes.into() }
}

/// The weighted mean of pixels, the first `N` bytes of each slice; colors count as much as they
/// are opaque.
#[inline]
fn mix<'p, const N: usize>(target: &mut [u8], pixels: impl Iterator<Item = (&'p [u8], &'p f32)>) {
    let mut sums = [0f32; N];
    if N < 4 {
        for (pixel, factor) in pixels {
            for channel in 0..N {
                sums[channel] += f32::from(pixel[channel]) * factor;
            }
        }
        for channel in 0..N {
            target[channel] = (sums[channel] + 0.5) as u8;
        }
        return;
    }
    for (pixel, factor) in pixels {
        let opacity = f32::from(pixel[3]) * factor;
        for channel in 0..3 {
            sums[channel] += f32::from(pixel[channel]) * opacity;
        }
        sums[3] += opacity;
    }
    if sums[3] > 0.0 {
        for channel in 0..3 {
            target[channel] = (sums[channel] / sums[3] + 0.5) as u8;
        }
        target[3] = (sums[3] + 0.5) as u8;
    }
}

/// Which source pixels make a target pixel: from `start` on, with factors whose sum is 1.
struct Weight {
    start: usize,
    factors: Vec<f32>,
}

/// A triangle over each target pixel, as wide as the pixels that it covers, at least two.
fn weights(target: u32, source: u32) -> Vec<Weight> {
    let step = f64::from(source) / f64::from(target);
    let scale = step.max(1.0);
    let radius = scale.ceil();
    let weight = |index: u32| {
        let center = (f64::from(index) + 0.5) * step - 0.5;
        let first = (center - radius).ceil().max(0.0) as usize;
        let last = (center + radius).floor().min(f64::from(source) - 1.0) as usize;
        let factors: Vec<f64> = (first..=last)
            .map(|at| (1.0 - ((at as f64 - center) / scale).abs()).max(0.0))
            .collect();
        let skipped = factors.iter().take_while(|factor| **factor == 0.0).count();
        let sum: f64 = factors.iter().sum();
        Weight {
            start: first + skipped,
            factors: factors[skipped..].iter().map(|factor| (factor / sum) as f32).collect(),
        }
    };
    (0..target).map(weight).collect()
}
