use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::{LANES, Theme, ThemeName, rgb};

/// Relative luminance as WCAG 2.2 defines it: 0 is black, 1 is white.
fn luminance([red, green, blue]: [u8; 3]) -> f64 {
    let linear = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

/// Contrast ratio as WCAG 2.2 defines it: 1 to 21.
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn styles(theme: &Theme) -> Vec<Style> {
    let named = [theme.text, theme.dim, theme.accent, theme.good, theme.warn, theme.bad, theme.border, theme.simulated];
    named.into_iter().chain((0..LANES).map(|lane| theme.lane(lane))).collect()
}

#[track_caller]
fn check_contrast(name: ThemeName, least: f64) {
    let theme = Theme::of(name);
    let background = theme.text.bg.and_then(rgb).expect("a theme has a background of its own");
    for style in styles(&theme) {
        let color = style.fg.and_then(rgb).expect("a theme's colours do not depend on the terminal");
        let ratio = contrast(color, background);
        assert!(ratio >= least, "{name:?}: {style:?} is only {ratio:.2} from its background");
        // What is chosen may be shown the other way round: the ratio is the same.
    }
}

#[test]
fn every_colour_can_be_told_from_its_background() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
    assert!((contrast([0x76; 3], [255; 3]) - 4.54).abs() < 0.01, "a published example: #767676 on white");
    check_contrast(ThemeName::Dark, 4.5);
    check_contrast(ThemeName::Light, 4.5);
    check_contrast(ThemeName::Contrast, 7.0);
    check_contrast(ThemeName::ColorBlind, 4.5);
}

#[test]
fn without_colours_weight_tells_what_matters() {
    let theme = Theme::of(ThemeName::Mono);
    assert!(styles(&theme).iter().all(|style| style.fg.is_none() && style.bg.is_none()));
    for (strong, weak) in [(theme.accent, theme.text), (theme.bad, theme.good), (theme.simulated, theme.text)] {
        assert_ne!(strong.add_modifier, weak.add_modifier);
    }
}

/// What someone sees who lacks one kind of cone, after Viénot, Brettel and Mollon 1999, in linear light.
fn as_seen([red, green, blue]: [u8; 3], rows: [[f64; 3]; 3]) -> [f64; 3] {
    let linear = |value: u8| (f64::from(value) / 255.0).powf(2.2);
    let light = [linear(red), linear(green), linear(blue)];
    rows.map(|row| row.iter().zip(light).map(|(share, light)| share * light).sum::<f64>().max(0.0).powf(1.0 / 2.2))
}

#[test]
fn lanes_of_the_colour_blind_theme_differ_for_those_it_is_made_for() {
    let protan = [[0.112_38, 0.887_62, 0.0], [0.112_38, 0.887_62, 0.0], [0.004_01, -0.004_01, 1.0]];
    let deutan = [[0.292_75, 0.707_25, 0.0], [0.292_75, 0.707_25, 0.0], [-0.022_34, 0.022_34, 1.0]];
    let theme = Theme::of(ThemeName::ColorBlind);
    let lanes: Vec<_> = (0..LANES).map(|lane| theme.lane(lane).fg.and_then(rgb).unwrap()).collect();
    for sight in [protan, deutan] {
        for (index, one) in lanes.iter().enumerate() {
            for other in &lanes[..index] {
                let (a, b) = (as_seen(*one, sight), as_seen(*other, sight));
                let distance = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                assert!(distance > 0.12, "{one:?} and {other:?} look alike: {distance:.2}");
            }
        }
    }
}

#[test]
fn cells_that_nobody_coloured_get_the_themes_colours() {
    let theme = Theme::of(ThemeName::Light);
    let mut buffer = Buffer::empty(Rect::new(0, 0, 2, 1));
    buffer.set_string(0, 0, "x", theme.bad.add_modifier(Modifier::REVERSED));
    theme.paint(&mut buffer);
    assert_eq!((buffer[(0, 0)].fg, buffer[(0, 0)].bg), (Color::Indexed(160), Color::Indexed(231)));
    assert_eq!((buffer[(1, 0)].fg, buffer[(1, 0)].bg), (Color::Indexed(235), Color::Indexed(231)));
}
