//! Places, in words.

/// `the one place`, `both places`, `all 8 places`.
pub(crate) fn all_places(places: u32) -> String {
    match places {
        1 => "the one place".to_owned(),
        2 => "both places".to_owned(),
        _ => format!("all {places} places"),
    }
}

/// `the one place`, `one of 8 places`.
pub(crate) fn a_place(places: u32) -> String {
    if places == 1 { "the one place".to_owned() } else { format!("one of {places} places") }
}
