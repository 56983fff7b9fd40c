//! A provider of our own, honest and hostile.

mod claims;
mod header;
mod keys;
pub(crate) mod provider;
mod refresh;

use super::*;
use crate::identity::testing::{NOW_S, key};
use provider::*;
use serde_json::{Value, json};

/// Counts the cases of one test, and says so at its end.
struct Cases(usize);

impl Cases {
    fn refused(&mut self, token: &str, error: TokenError) {
        let verdict = validator().validate(token, &binding(), NOW_S);
        assert_eq!(verdict, Err(error), "{token}");
        self.0 += 1;
    }
}

impl Drop for Cases {
    fn drop(&mut self) {
        println!("negative cases: tokens and JWKS: {}", self.0);
    }
}

#[test]
fn tokens_of_each_algorithm_are_verified_for_their_session() {
    for signer in SIGNERS {
        let token = signer.token(&claims());
        let verdict = validator().validate(&token, &binding(), NOW_S).unwrap();
        let Verdict::Verified(person) = verdict else { panic!("{verdict:?}") };
        assert_eq!(person.tenant.as_str(), TENANT);
        assert_eq!(person.subject.as_str(), "00000000-0000-0000-66f3-3332eca7ea81");
        assert_eq!(person.person.name, "Ada Lovelace");
        assert_eq!(person.person.job_title.as_deref(), Some("Help desk"));
        assert_eq!(person.person.company.as_deref(), Some("Contoso"));
        assert_eq!(person.roles, ["HelpDeskOperator"]);
        assert_eq!((person.signed_in_s, person.expires_s), (NOW_S - 600, NOW_S + 3600));
        assert_eq!(person.hash, crate::identity::sha256(&[token.as_bytes()]));
    }
}

#[test]
fn what_may_be_left_out_or_be_a_list_may() {
    let mut fewer = claims();
    for claim in ["jobTitle", "companyName", "roles"] {
        fewer.as_object_mut().unwrap().remove(claim);
    }
    fewer["aud"] = json!([APP]);
    fewer["azp"] = json!(APP);
    fewer["ver"] = json!("2.0");
    let token = Signer::Rsa.token(&fewer);
    let verdict = validator().validate(&token, &binding(), NOW_S).unwrap();
    let Verdict::Verified(person) = verdict else { panic!("{verdict:?}") };
    assert!(person.person.job_title.is_none() && person.roles.is_empty());
    let token = Signer::Rsa.with_header("typ", None);
    assert!(is_verified(&mut validator(), &token));
}

#[test]
fn the_nonce_is_of_one_key_and_one_salt() {
    let nonce = binding().nonce();
    assert_eq!(nonce.len(), 43);
    let other_key = SessionBinding { key: key(12).public_key(), ..binding() };
    let other_salt = SessionBinding { salt: [8; 32], ..binding() };
    assert!(nonce != other_key.nonce() && nonce != other_salt.nonce());
}

#[test]
fn no_cut_and_no_changed_character_passes_or_panics() {
    let mut validator = validator();
    for signer in SIGNERS {
        let token = signer.token(&claims());
        for length in 0..token.len() {
            assert!(!is_verified(&mut validator, &token[..length]));
        }
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(!is_verified(&mut validator, str::from_utf8(&changed).unwrap()));
        }
    }
}

fn is_verified(validator: &mut Validator, token: &str) -> bool {
    matches!(validator.validate(token, &binding(), NOW_S), Ok(Verdict::Verified(_)))
}
