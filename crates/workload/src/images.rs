//! Pictures made up: noise, which no two requests share and no cache can know.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Compression, Encoder, Filter};
use schema::plan::Images;

use crate::error::WorkloadError;
use crate::random::{Purpose, Stream};

/// More pixels a request are refused: they are made anew for each.
const MAX_PIXELS: u64 = 32_000_000;

/// Refuses what would be no picture, or too much of them.
pub(crate) fn check(images: Images) -> Result<(), WorkloadError> {
    let Images { per_request, width, height } = images;
    let refused = |why: &str| {
        let what = format!("{per_request} of {width}x{height} pixels a request {why}");
        Err(WorkloadError::Images { what })
    };
    if per_request == 0 || width == 0 || height == 0 {
        return refused("are nothing to look at");
    }
    let pixels = u128::from(per_request) * u128::from(width) * u128::from(height);
    if pixels > u128::from(MAX_PIXELS) {
        return refused(&format!("are more than {} million pixels", MAX_PIXELS / 1_000_000));
    }
    Ok(())
}

/// The pictures of request `index`, as data URLs.
pub(crate) fn pictures(images: Images, seed: u64, index: u64) -> impl Iterator<Item = String> {
    let mut stream = Stream::of(seed, Purpose::Image, index);
    (0..images.per_request).map(move |_| picture(images.width, images.height, &mut stream))
}

/// A PNG in RGB, stored as it is: noise cannot be packed, and trying costs time while requests are due.
fn picture(width: u32, height: u32, stream: &mut Stream) -> String {
    let mut pixels = vec![0; width as usize * height as usize * 3];
    for part in pixels.chunks_mut(8) {
        part.copy_from_slice(&stream.next().to_le_bytes()[..part.len()]);
    }
    let mut bytes = Vec::with_capacity(pixels.len() + pixels.len() / 64 + 1024);
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::NoCompression);
    encoder.set_filter(Filter::NoFilter);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&pixels))
        .expect("a vector takes all that is written, and there are as many pixels as was said");
    let mut url = String::with_capacity(bytes.len() / 3 * 4 + 64);
    url.push_str("data:image/png;base64,");
    STANDARD.encode_string(&bytes, &mut url);
    url
}

#[cfg(test)]
mod tests;
