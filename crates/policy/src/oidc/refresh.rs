//! How often the provider is asked for its keys: a stranger's tokens must not make this end ask
//! again and again.

/// How long a key that was asked for is not asked for again, in seconds.
pub const REFRESH_S: u64 = 60;
/// How many keys are asked for in that time at most.
pub const MAX_REFRESHES: usize = 8;

/// The last questions. Their number is bounded.
#[derive(Debug, Default)]
pub(super) struct Refreshes(Vec<(String, u64)>);

impl Refreshes {
    /// Whether to ask for `kid` now; if so, it counts as asked for.
    pub(super) fn allows(&mut self, kid: &str, now_s: u64) -> bool {
        // What lies ahead was asked before the clock was set back.
        self.0.retain(|(_, at_s)| *at_s <= now_s && now_s - at_s < REFRESH_S);
        if self.0.len() >= MAX_REFRESHES || self.0.iter().any(|(asked, _)| asked == kid) {
            return false;
        }
        self.0.push((kid.to_owned(), now_s));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_asked_for_once_a_minute_and_eight_at_most() {
        let mut refreshes = Refreshes::default();
        assert!(refreshes.allows("a", 1000));
        assert!((1000..1060).all(|now_s| !refreshes.allows("a", now_s)));
        assert!(refreshes.allows("a", 1060));
        let asked = (0..100).filter(|n| refreshes.allows(&n.to_string(), 1061)).count();
        assert_eq!(asked, MAX_REFRESHES - 1);
        assert!(refreshes.allows("b", 1121));
    }

    #[test]
    fn a_clock_that_is_set_back_blocks_nothing_for_long() {
        let mut refreshes = Refreshes::default();
        assert!(refreshes.allows("a", 5000));
        assert!(refreshes.allows("a", 100));
        assert!(!refreshes.allows("a", 101));
    }
}
