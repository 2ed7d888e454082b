//! Durations and sizes as people write them: `10s`, `1 GiB`.

use std::time::Duration;

/// The units of a duration, each with its length in milliseconds.
const DURATIONS: [(&str, u64); 3] = [("ms", 1), ("s", 1_000), ("m", 60_000)];

/// The units of a size, each with its length in bytes.
const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

/// A duration such as `500ms`, `10s` or `2m`; more than none.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let milliseconds = scaled(text, &DURATIONS).ok_or_else(|| {
        format!("`{text}` is no duration; write a whole number with `ms`, `s` or `m`, as in `10s`")
    })?;
    Ok(Duration::from_millis(milliseconds))
}

/// A number of bytes such as `512 KiB`, `1 MB` or `1 GiB`; more than none.
pub(super) fn size(text: &str) -> Result<u64, String> {
    scaled(text, &SIZES).ok_or_else(|| {
        format!("`{text}` is no size; write a whole number with `B`, `kB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`, as in `1 MiB`")
    })
}

/// A positive whole number times its unit.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let unit_start = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_start);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start_matches(' '))?;
    let value = number.parse::<u64>().ok()?.checked_mul(*factor)?;
    (value > 0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_with_their_units() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("500 ms"), Ok(Duration::from_millis(500)));
        assert_eq!(size("1 GiB"), Ok(1 << 30));
        assert_eq!(size("64kB"), Ok(64_000));
    }

    #[test]
    fn a_quantity_without_number_unit_or_amount_is_refused() {
        for text in
            ["", "s", "10", "0s", "-1s", "1.5s", "10 hours", "99999999999999999999s", "20000000000000000m"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "MiB", "10", "0 MiB", "10 mib", "18446744073709551615 KiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
