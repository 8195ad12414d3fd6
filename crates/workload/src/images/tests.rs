use std::collections::HashSet;
use std::io::Cursor;

use super::*;

const SMALL: Images = Images { per_request: 2, width: 20, height: 7 };

#[track_caller]
fn pixels(url: &str) -> (u32, u32, Vec<u8>) {
    let bytes = STANDARD.decode(url.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.height, pixels)
}

#[test]
fn a_picture_is_a_png_of_the_size_asked_for() {
    let urls: Vec<_> = pictures(SMALL, 1, 1).collect();
    assert_eq!(urls.len(), 2);
    let (width, height, pixels) = pixels(&urls[0]);
    assert_eq!((width, height, pixels.len()), (20, 7, 420));
    assert!(pixels.iter().collect::<HashSet<_>>().len() > 100, "noise");
}

#[test]
fn no_two_pictures_are_alike_and_each_stays_the_same() {
    let all: Vec<_> = (0..50).flat_map(|index| pictures(SMALL, 1, index)).chain(pictures(SMALL, 2, 0)).collect();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 102);
    assert!(pictures(SMALL, 1, 30).eq(all[60..62].iter().cloned()));
}

#[track_caller]
fn refused(per_request: u32, width: u32, height: u32, expected: &str) {
    let error = check(Images { per_request, width, height }).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn pictures_of_nothing_and_pictures_without_end_are_refused() {
    refused(0, 5, 5, "pictures cannot be made: 0 of 5x5 pixels a request are nothing to look at");
    refused(1, 5, 0, "pictures cannot be made: 1 of 5x0 pixels a request are nothing to look at");
    refused(
        u32::MAX,
        u32::MAX,
        u32::MAX,
        "pictures cannot be made: 4294967295 of 4294967295x4294967295 pixels a request are more than 32 million pixels",
    );
    assert!(check(Images { per_request: 1, width: 4000, height: 8000 }).is_ok());
}
