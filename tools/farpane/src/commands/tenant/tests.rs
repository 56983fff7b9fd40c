use super::*;
use clap::Parser;
use farpane_policy::grant::Grant;
use farpane_policy::identity::{
    CredentialError, DeviceCertificate, EnvelopeError, KeyPair, Tenant, Trust,
};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    args: Args,
}

/// Runs `farpane tenant` in `folder`.
fn tenant(folder: &Path, arguments: &[&str]) -> Result<()> {
    let own = |text: &&str| text.replace("FOLDER", folder.to_str().unwrap());
    let arguments = ["tenant".to_owned()].into_iter().chain(arguments.iter().map(own));
    run(&Program::try_parse_from(arguments)?.args).map(|_| ())
}

fn shown(folder: &Path) -> Value {
    let text = show::told(&Folder::open(folder).unwrap(), true, now_s().unwrap()).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The last credential that was issued: its id, its bytes and its key.
fn last(folder: &Path) -> (String, Vec<u8>, KeyPair) {
    let issued = shown(folder)["issued"].as_array().unwrap().last().unwrap().clone();
    let id = issued["id"].as_str().unwrap().to_owned();
    let bytes = fs::read(folder.join(format!("issued/{id}.cwt"))).unwrap();
    let pem = fs::read_to_string(folder.join(format!("issued/{id}.key"))).unwrap();
    (id, bytes, KeyPair::from_pem(&pem).unwrap())
}

/// What a device knows that was given the folder's public files.
fn trust(folder: &Path) -> Trust {
    let tenant = fs::read_to_string(folder.join("tenant.json")).unwrap();
    let mut trust = Trust::new(Tenant::from_json(&tenant).unwrap());
    let list = fs::read(folder.join("revocations.cwt")).unwrap();
    trust.update(&list, now_s().unwrap()).unwrap();
    trust
}

fn made() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("contoso");
    tenant(&folder, &["init", "FOLDER", "--name", "Contoso Ltd"]).unwrap();
    (parent, folder)
}

const GRANT: [&str; 9] = [
    "issue",
    "grant",
    "--tenant",
    "FOLDER",
    "--subject",
    "ada@contoso.example",
    "--role",
    "Help Desk Operator",
    "--for=8h",
];

#[test]
fn what_is_issued_is_accepted_by_the_tenants_devices_until_it_is_revoked() {
    let (_parent, folder) = made();
    tenant(&folder, &GRANT).unwrap();
    let (id, bytes, key) = last(&folder);
    let now_s = now_s().unwrap();
    let grant = Grant::verify(&bytes, &trust(&folder), now_s).unwrap();
    assert_eq!(grant.claims().key, key.public_key());
    assert_eq!(grant.claims().permissions, Role::HelpDeskOperator.permissions());
    assert_eq!(grant.claims().scope, Scope::AllDevices);
    assert!((28_790..=28_800).contains(&grant.remaining_s(now_s)));

    let device = ["issue", "device", "--tenant", "FOLDER", "--id", "laptop-7", "--enrolled"];
    let more = ["--compliance", "compliant", "--group", "b", "--group", "a", "--group", "a"];
    tenant(&folder, &[&device[..], &more].concat()).unwrap();
    let (_, bytes_of_device, _) = last(&folder);
    let device = DeviceCertificate::verify(&bytes_of_device, &trust(&folder), now_s).unwrap();
    assert_eq!(device.claims().groups, ["a", "b"].map(|name| GroupId::new(name).unwrap()));
    assert!(device.claims().device.enrolled);

    tenant(&folder, &["revoke", &id, "--tenant", "FOLDER"]).unwrap();
    let revoked = Err(CredentialError::Revoked { id: id.clone() });
    assert_eq!(Grant::verify(&bytes, &trust(&folder), now_s), revoked);
    assert!(DeviceCertificate::verify(&bytes_of_device, &trust(&folder), now_s).is_ok());
    let again = tenant(&folder, &["revoke", &id, "--tenant", "FOLDER"]).unwrap_err();
    assert!(again.to_string().contains("revoked already"), "{again}");
    let shown = shown(&folder);
    assert_eq!(shown["revocations"]["number"], 2);
    assert_eq!(shown["issued"][0]["state"], "revoked");
    assert_eq!(shown["issued"][1]["state"], "valid");
}

#[test]
fn secrets_are_for_their_owner_and_nothing_is_overwritten() {
    let (_parent, folder) = made();
    tenant(&folder, &GRANT).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (id, ..) = last(&folder);
    assert_eq!(mode(&folder), 0o700);
    for secret in ["authority.key".to_owned(), format!("issued/{id}.key")] {
        assert_eq!(mode(&folder.join(secret)), 0o600);
    }
    let key = fs::read(folder.join("authority.key")).unwrap();
    let error = tenant(&folder, &["init", "FOLDER", "--name", "Other"]).unwrap_err();
    assert!(error.to_string().contains("not empty"), "{error}");
    assert_eq!(fs::read(folder.join("authority.key")).unwrap(), key);
    let left = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with('.')));
}

#[test]
fn a_new_key_signs_at_once_and_old_ones_count_until_they_are_forgotten() {
    let (_parent, folder) = made();
    tenant(&folder, &GRANT).unwrap();
    let (_, old, _) = last(&folder);
    tenant(&folder, &["rotate", "--tenant", "FOLDER"]).unwrap();
    tenant(&folder, &GRANT).unwrap();
    let (_, new, _) = last(&folder);
    let verdict =
        |bytes: &[u8]| Grant::verify(bytes, &trust(&folder), now_s().unwrap()).map(|_| ());
    assert_eq!((verdict(&old), verdict(&new)), (Ok(()), Ok(())));
    tenant(&folder, &["rotate", "--tenant", "FOLDER", "--forget"]).unwrap();
    let unknown = || Err(EnvelopeError::UnknownKey.into());
    assert_eq!((verdict(&old), verdict(&new)), (unknown(), unknown()));
    tenant(&folder, &["renew", "--tenant", "FOLDER"]).unwrap();
    assert_eq!(shown(&folder)["revocations"]["number"], 4);
    assert_eq!(shown(&folder)["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn what_nobody_would_accept_is_not_signed_and_leaves_nothing() {
    let (_parent, folder) = made();
    let grant = |more: &[&str]| tenant(&folder, &[&GRANT[..6], more].concat()).unwrap_err();
    for (more, expected) in [
        (&["--role", "Boss"][..], "not built in"),
        (&["--role", "Boss", "--permission", "RemoteHelp.All"], "no permission of this product"),
        (&["--role", "Tier 1", "--for", "32d"], "issue a shorter one"),
        (&["--role", "Tier 1", "--for", "8w"], "no span"),
        (&["--role", "Tier 1", "--name", "A\u{202e}da"], "cannot be shown"),
        (&["--role", "Tier 1", "--group", "a b"], "visible ASCII"),
        (&["--role", "Tier 1", "--group", "a", "--device", "b"], "cannot be used with"),
        (&["--role", "Tier 1", "--public-key", "00"], "64 hexadecimal digits"),
        (&["--role", "Tier 1", "--public-key", &"0".repeat(64)], "--public-key"),
    ] {
        let error = format!("{:#}", grant(more));
        assert!(error.contains(expected), "{more:?}: {error}");
    }
    assert!(shown(&folder)["issued"].as_array().unwrap().is_empty());
    assert!(!folder.join("issued").exists());
    let error = tenant(&folder, &["revoke", &"0".repeat(32), "--tenant", "FOLDER"]).unwrap_err();
    assert!(error.to_string().contains("has issued no"), "{error}");
    let error = tenant(&folder, &["revoke", "x", "--tenant", "FOLDER"]).unwrap_err();
    assert!(error.to_string().contains("is no id"), "{error}");
    let error = tenant(&folder.join("none"), &["show", "--tenant", "FOLDER"]).unwrap_err();
    assert!(error.to_string().contains("farpane tenant init"), "{error}");
    let other = folder.with_file_name("other");
    assert!(tenant(&other, &["init", "FOLDER", "--name", "a\u{202e}b"]).is_err());
    assert!(!other.exists());
}
