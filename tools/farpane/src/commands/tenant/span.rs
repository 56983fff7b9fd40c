//! Spans of time as people write them.

use std::time::Duration;

/// Reads a number with its unit: `30m`, `8h`, `90d`; seconds by `s`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no span: write a number and s, m, h or d, as 8h");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number = &text[..text.len() - 1];
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|n| plain && *n > 0).ok_or_else(wrong)?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit() {
        for (text, seconds) in [("1s", 1), ("30m", 1800), ("8h", 28_800), ("90d", 7_776_000)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)));
        }
        for text in
            ["", "8", "h", "0h", "-1h", "+1h", "1.5h", "8 h", "8w", "8ä", "99999999999999999d"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
