//! Who is asked: registry, URLs, auth, prices.
