use expect_test::expect;
use image::{GenericImageView, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

const PIXELS_MAX: u64 = 1 << 20;

fn size(text: &str) -> ThumbSize {
    ThumbSize::parse(text).unwrap()
}

/// Red grows to the right, green downwards.
fn gradient(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, 0])
    })
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut content = Cursor::new(Vec::new());
    image.into().write_to(&mut content, format).unwrap();
    content.into_inner()
}

fn made(original: &[u8], content_type: &str, text: &str) -> (DynamicImage, &'static str) {
    let (content, written) = make(original, content_type, &size(text), PIXELS_MAX).unwrap();
    (image::load_from_memory(&content).unwrap(), written)
}

#[test]
fn sizes_are_parsed_as_pocketbase_does() {
    let parts = |text| ThumbSize::parse(text).map(|size| (size.width, size.height, size.mode));
    assert_eq!(parts("100x50"), Some((100, 50, Mode::Center)));
    assert_eq!(parts("100x50t"), Some((100, 50, Mode::Top)));
    assert_eq!(parts("100x50b"), Some((100, 50, Mode::Bottom)));
    assert_eq!(parts("100x50f"), Some((100, 50, Mode::Fit)));
    assert_eq!(parts("0x50"), Some((0, 50, Mode::Center)));
    assert_eq!(parts("100x0f"), Some((100, 0, Mode::Fit)));
    for text in [
        "",
        "x",
        "1x",
        "x1",
        "0x0",
        "1x1c",
        "+1x1",
        "1x-1",
        "1x1tt",
        "10001x1",
        "1x1\n",
        "1X1",
        "99999999999x1",
        "1x1é",
        "../1x1",
    ] {
        assert_eq!(parts(text), None, "{text:?}");
    }
}

#[test]
fn the_default_size_is_always_allowed() {
    let sizes = ["20x20".to_owned()];
    assert!(size_allowed("100x100", &[]) && size_allowed("20x20", &sizes));
    assert!(!size_allowed("20x20", &[]) && !size_allowed("100x100t", &sizes));
}

#[test]
fn dimensions_and_corners_of_each_mode() {
    let images =
        [("wide", gradient(300, 150)), ("tall", gradient(60, 120)), ("dot", gradient(1, 1))];
    let mut lines = String::new();
    for (name, image) in images {
        let original = encoded(image, ImageFormat::Png);
        for text in ["40x40", "40x40t", "40x40b", "40x40f", "40x0", "0x40", "500x10f"] {
            let (thumb, _) = made(&original, "image/png", text);
            let (width, height) = thumb.dimensions();
            let first = thumb.get_pixel(0, 0).0;
            let last = thumb.get_pixel(width - 1, height - 1).0;
            lines += &format!("{name} {text}: {width}x{height} {first:?} {last:?}\n");
        }
    }
    expect![[r#"
        wide 40x40: 40x40 [65, 3, 0, 255] [188, 250, 0, 255]
        wide 40x40t: 40x40 [65, 3, 0, 255] [188, 250, 0, 255]
        wide 40x40b: 40x40 [65, 3, 0, 255] [188, 250, 0, 255]
        wide 40x40f: 40x20 [3, 6, 0, 255] [250, 246, 0, 255]
        wide 40x0: 40x20 [3, 6, 0, 255] [250, 246, 0, 255]
        wide 0x40: 80x40 [1, 3, 0, 255] [252, 250, 0, 255]
        wide 500x10f: 20x10 [7, 14, 0, 255] [247, 239, 0, 255]
        tall 40x40: 40x40 [2, 63, 0, 255] [249, 189, 0, 255]
        tall 40x40t: 40x40 [2, 1, 0, 255] [249, 125, 0, 255]
        tall 40x40b: 40x40 [2, 127, 0, 255] [249, 251, 0, 255]
        tall 40x40f: 20x40 [5, 3, 0, 255] [245, 250, 0, 255]
        tall 40x0: 40x80 [2, 1, 0, 255] [249, 251, 0, 255]
        tall 0x40: 20x40 [5, 3, 0, 255] [245, 250, 0, 255]
        tall 500x10f: 5x10 [28, 14, 0, 255] [222, 238, 0, 255]
        dot 40x40: 40x40 [0, 0, 0, 255] [0, 0, 0, 255]
        dot 40x40t: 40x40 [0, 0, 0, 255] [0, 0, 0, 255]
        dot 40x40b: 40x40 [0, 0, 0, 255] [0, 0, 0, 255]
        dot 40x40f: 1x1 [0, 0, 0, 255] [0, 0, 0, 255]
        dot 40x0: 40x40 [0, 0, 0, 255] [0, 0, 0, 255]
        dot 0x40: 40x40 [0, 0, 0, 255] [0, 0, 0, 255]
        dot 500x10f: 1x1 [0, 0, 0, 255] [0, 0, 0, 255]
    "#]]
    .assert_eq(&lines);
}

#[test]
fn formats_stay_except_webp() {
    let written = |format, content_type| {
        let original = encoded(gradient(120, 120), format);
        let (content, written) = make(&original, content_type, &size("9x9"), PIXELS_MAX).unwrap();
        (written, image::guess_format(&content).unwrap())
    };
    assert_eq!(written(ImageFormat::Png, "image/png"), ("image/png", ImageFormat::Png));
    assert_eq!(written(ImageFormat::Jpeg, "image/jpeg"), ("image/jpeg", ImageFormat::Jpeg));
    assert_eq!(written(ImageFormat::Gif, "image/gif"), ("image/gif", ImageFormat::Gif));
    assert_eq!(written(ImageFormat::WebP, "image/webp"), ("image/png", ImageFormat::Png));
    assert_eq!(written(ImageFormat::Jpeg, "image/jpg"), ("image/png", ImageFormat::Png));
}

#[test]
fn other_pixel_layouts_are_converted() {
    let image = DynamicImage::from(gradient(120, 120));
    let layouts = [
        DynamicImage::from(image.to_luma8()),
        image.to_luma16().into(),
        image.to_luma_alpha8().into(),
        image.to_rgba16().into(),
    ];
    for layout in layouts {
        let (thumb, _) = made(&encoded(layout, ImageFormat::Png), "image/png", "30x20");
        assert_eq!(thumb.dimensions(), (30, 20));
    }
}

#[test]
fn transparent_colors_do_not_bleed() {
    let image = RgbaImage::from_fn(200, 200, |x, _| {
        if x % 2 == 0 { Rgba([255, 0, 0, 255]) } else { Rgba([0, 255, 0, 0]) }
    });
    let (thumb, _) = made(&encoded(image, ImageFormat::Png), "image/png", "100x100");
    let Rgba([red, green, _, alpha]) = thumb.get_pixel(50, 50);
    assert_eq!((red, green), (255, 0));
    assert!((120..136).contains(&alpha), "{alpha}");
}

/// A JPEG file with an EXIF block that has only the orientation.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"\xFF\xE1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01".to_vec();
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

#[test]
fn photos_are_turned_upright() {
    // White at the top left, black elsewhere.
    let image =
        RgbImage::from_fn(200, 100, |x, y| Rgb([if x < 100 && y < 50 { 255 } else { 0 }; 3]));
    let jpeg = encoded(image, ImageFormat::Jpeg);
    let corner = |orientation| {
        let (thumb, _) = made(&with_orientation(&jpeg, orientation), "image/jpeg", "40x0");
        let (width, height) = thumb.dimensions();
        let light = |x, y| thumb.get_pixel(x, y).0[0] > 128;
        let corners =
            [light(2, 2), light(width - 3, 2), light(2, height - 3), light(width - 3, height - 3)];
        (height, corners.map(u8::from))
    };
    assert_eq!(corner(1), (20, [1, 0, 0, 0]));
    assert_eq!(corner(2), (20, [0, 1, 0, 0]));
    assert_eq!(corner(3), (20, [0, 0, 0, 1]));
    assert_eq!(corner(4), (20, [0, 0, 1, 0]));
    assert_eq!(corner(5), (80, [1, 0, 0, 0]));
    assert_eq!(corner(6), (80, [0, 1, 0, 0]));
    assert_eq!(corner(7), (80, [0, 0, 0, 1]));
    assert_eq!(corner(8), (80, [0, 0, 1, 0]));
    assert_eq!(corner(9), (20, [1, 0, 0, 0]));
}

#[test]
fn large_images_are_not_decoded() {
    let original = encoded(gradient(200, 200), ImageFormat::Png);
    let too_large = make(&original, "image/png", &size("9x9"), 39_999);
    assert!(matches!(too_large, Err(ThumbError::TooManyPixels { pixels_max: 39_999 })));
    assert!(make(&original, "image/png", &size("9x9"), 40_000).is_ok());
}

#[test]
fn extreme_proportions_do_not_take_extreme_memory() {
    let make = |width, height, text: &str, pixels_max| {
        let original = encoded(DynamicImage::new_luma8(width, height), ImageFormat::Png);
        make(&original, "image/png", &size(text), pixels_max)
    };
    // Between the steps this one has 100 x 65,535 pixels.
    let narrow = make(1, 65_535, "100x100", 1_000_000);
    assert!(matches!(narrow, Err(ThumbError::TooManyPixels { .. })), "{narrow:?}");
    let scaled_up = make(1, 50, "10000x0", 1_000_000);
    assert!(matches!(scaled_up, Err(ThumbError::TooManyPixels { .. })), "{scaled_up:?}");
    let long = make(65_536, 1, "100x100", u64::MAX);
    assert!(matches!(long, Err(ThumbError::TooManyPixels { .. })), "{long:?}");
    assert!(make(65_535, 1, "100x100", 10_000_000).is_ok());
}

#[test]
fn broken_images_are_errors() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
        let original = encoded(gradient(200, 200), format);
        let headers_only = &original[..40];
        let error = make(headers_only, "image/png", &size("9x9"), PIXELS_MAX);
        assert!(matches!(error, Err(ThumbError::Decode(_))), "{format:?}: {error:?}");
    }
    let error = make(b"text", "image/png", &size("9x9"), PIXELS_MAX);
    assert!(matches!(error, Err(ThumbError::Decode(_))));
}
