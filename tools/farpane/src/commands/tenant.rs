//! `farpane tenant`: a tenant's own authority, in a folder.

mod files;
mod folder;
mod holder;
mod ledger;
mod show;
mod span;

use anyhow::{Context, Result, ensure};
use clap::{Subcommand, ValueEnum};
use farpane_policy::grant::{GrantClaims, Person};
use farpane_policy::identity::{CredentialId, Device, DeviceClaims, MAX_AUTHORITY_KEYS, Validity};
use farpane_policy::{
    DeviceId, GroupId, IdError, Permission, Permissions, Role, Scope, SubjectId, Tier,
};
use folder::{Folder, now_s};
use holder::Holder;
use ledger::Kind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  farpane tenant init contoso --name 'Contoso Ltd'
  farpane tenant issue device --tenant contoso --id laptop-7 --enrolled --for 90d
  farpane tenant issue grant --tenant contoso --subject ada@contoso.example \\
      --role 'Help Desk Operator' --for 8h
  farpane tenant revoke 3f0c…  --tenant contoso
  farpane tenant show --tenant contoso --json

The folder holds the authority's secret key. Keep it on one machine that only administrators use,
and back it up offline: who has the key decides who may help. docs/identity.md says more.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a tenant: a folder with an authority's key, a public tenant.json and an empty
    /// revocation list.
    Init(Init),
    /// Signs a device certificate or a grant.
    Issue {
        #[command(subcommand)]
        what: Box<Issue>,
    },
    /// Takes back a grant or a device certificate, and signs a new revocation list.
    Revoke(Revoke),
    /// Signs the revocation list anew, before the present one ends.
    Renew(Place),
    /// Changes to a new key; the old ones verify until they are forgotten.
    Rotate(Rotate),
    /// Says what the tenant is, what was issued and what is revoked.
    Show(Show),
}

#[derive(clap::Args)]
struct Place {
    /// The tenant's folder.
    #[arg(long = "tenant", value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

#[derive(clap::Args)]
struct Init {
    /// The folder to make. It must not be there, or be empty.
    folder: PathBuf,
    /// The tenant's name, as people are shown it.
    #[arg(long)]
    name: String,
}

#[derive(Subcommand)]
enum Issue {
    /// A certificate for a machine: issued/ID.cwt, and issued/ID.key unless --public-key is given.
    Device(DeviceArgs),
    /// A grant for a person who helps: issued/ID.cwt, and issued/ID.key unless --public-key is
    /// given.
    Grant(GrantArgs),
}

#[derive(clap::Args)]
struct Posture {
    /// The tenant manages the device.
    #[arg(long)]
    enrolled: bool,
    /// Whether the device keeps the tenant's rules.
    #[arg(long, default_value = "unknown", value_name = "VERDICT")]
    compliance: ComplianceArg,
    /// A rule that it does not keep, for people to read. May be repeated.
    #[arg(long = "finding", value_name = "TEXT")]
    findings: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ComplianceArg {
    Unknown,
    Compliant,
    NotCompliant,
}

#[derive(clap::Args)]
struct DeviceArgs {
    #[command(flatten)]
    place: Place,
    /// The device's id.
    #[arg(long, value_name = "ID")]
    id: String,
    #[command(flatten)]
    posture: Posture,
    /// A group that it is in. May be repeated.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// How long the certificate counts, at most 398d.
    #[arg(long = "for", value_name = "SPAN", default_value = "90d", value_parser = span::parse)]
    span: Duration,
    #[command(flatten)]
    holder: Holder,
}

#[derive(clap::Args)]
struct GrantArgs {
    #[command(flatten)]
    place: Place,
    /// Who it is for: an object id or an address.
    #[arg(long, value_name = "ID")]
    subject: String,
    /// Their name, as sharers are shown it. The subject when absent.
    #[arg(long)]
    name: Option<String>,
    /// What they are.
    #[arg(long, value_name = "TEXT")]
    job_title: Option<String>,
    /// Where.
    #[arg(long, value_name = "TEXT")]
    company: Option<String>,
    /// A built-in role: Help Desk Operator, School Administrator, Tier 1, Tier 2 or Tier 3; or any
    /// name with --permission.
    #[arg(long)]
    role: String,
    /// A permission, in place of the role's. May be repeated.
    #[arg(long = "permission", value_name = "NAME")]
    permissions: Vec<String>,
    /// Only devices of this group. May be repeated. All enrolled devices when absent.
    #[arg(long = "group", value_name = "GROUP", conflicts_with = "devices")]
    groups: Vec<String>,
    /// Only this device. May be repeated.
    #[arg(long = "device", value_name = "ID")]
    devices: Vec<String>,
    /// The machine that they help from.
    #[arg(long, value_name = "ID", default_value = "unspecified")]
    from: String,
    #[command(flatten)]
    posture: Posture,
    /// How long the grant counts, at most 31d.
    #[arg(long = "for", value_name = "SPAN", default_value = "8h", value_parser = span::parse)]
    span: Duration,
    #[command(flatten)]
    holder: Holder,
}

#[derive(clap::Args)]
struct Revoke {
    /// The credential's id, as `issue` and `show` tell it.
    id: String,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
struct Rotate {
    #[command(flatten)]
    place: Place,
    /// Forgets the old keys at once: what they signed counts no longer.
    #[arg(long)]
    forget: bool,
}

#[derive(clap::Args)]
struct Show {
    #[command(flatten)]
    place: Place,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Does what the arguments say.
///
/// # Errors
/// The folder cannot be read or written, or nobody would accept what is to be signed.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match &args.command {
        Command::Init(args) => init(args)?,
        Command::Issue { what } => match &**what {
            Issue::Device(args) => issue_device(args)?,
            Issue::Grant(args) => issue_grant(args)?,
        },
        Command::Revoke(args) => revoke(args)?,
        Command::Renew(place) => renew(place)?,
        Command::Rotate(args) => rotate(args)?,
        Command::Show(args) => {
            print!("{}", show::told(&Folder::open(&args.place.folder)?, args.json, now_s()?)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn init(args: &Init) -> Result<()> {
    let tenant = Folder::init(&args.folder, &args.name, now_s()?)?;
    println!("tenant {} ({}) in {}", tenant.id(), tenant.name(), args.folder.display());
    println!("give tenant.json and revocations.cwt to its devices; keep authority.key secret");
    Ok(())
}

fn issue_device(args: &DeviceArgs) -> Result<()> {
    let mut folder = Folder::open(&args.place.folder)?;
    let (id, now_s) = (folder::new_id()?, now_s()?);
    let (key, secret) = args.holder.key()?;
    let claims = DeviceClaims {
        id,
        tenant: folder.tenant().id().clone(),
        device: args.posture.device(&args.id)?,
        groups: ids(&args.groups, GroupId::new)?,
        key,
        validity: Validity::starting(now_s, args.span.as_secs()),
    };
    let bytes = folder.authority().device(&claims)?;
    folder.issue(Kind::Device, id, &args.id, claims.validity, &bytes, secret.as_ref())
}

fn issue_grant(args: &GrantArgs) -> Result<()> {
    let mut folder = Folder::open(&args.place.folder)?;
    let (id, now_s) = (folder::new_id()?, now_s()?);
    let scope = match (&args.groups[..], &args.devices[..]) {
        ([], []) => Scope::AllDevices,
        (groups, []) => Scope::Groups(ids(groups, GroupId::new)?),
        (_, devices) => Scope::Devices(ids(devices, DeviceId::new)?),
    };
    let (key, secret) = args.holder.key()?;
    let claims = GrantClaims {
        id,
        tenant: folder.tenant().id().clone(),
        subject: SubjectId::new(&args.subject).context("--subject")?,
        person: Person {
            name: args.name.clone().unwrap_or_else(|| args.subject.clone()),
            job_title: args.job_title.clone(),
            company: args.company.clone(),
        },
        role: args.role.clone(),
        permissions: permissions(args)?,
        scope,
        device: args.posture.device(&args.from)?,
        key,
        validity: Validity::starting(now_s, args.span.as_secs()),
    };
    let bytes = folder.authority().grant(&claims)?;
    folder.issue(Kind::Grant, id, &args.subject, claims.validity, &bytes, secret.as_ref())
}

/// Those that are named, else the role's.
fn permissions(args: &GrantArgs) -> Result<Permissions> {
    if args.permissions.is_empty() {
        return Permissions::of_role(&args.role).with_context(|| {
            let roles = Role::ALL.map(Role::name).join(", ");
            let names = format!("{roles}, {}", Tier::ALL.map(Tier::name).join(", "));
            format!("--role {:?} is not built in ({names}); name its --permission", args.role)
        });
    }
    let permissions = args.permissions.iter().map(|name| {
        let unknown = || format!("--permission {name:?} is no permission of this product");
        Permission::from_name(name).with_context(unknown)
    });
    Ok(Permissions::of(&permissions.collect::<Result<Vec<_>>>()?))
}

fn revoke(args: &Revoke) -> Result<()> {
    let wrong = || format!("{:?} is no id: give the 32 digits that `show` tells", args.id);
    let id = CredentialId::parse(&args.id).with_context(wrong)?;
    let number = Folder::open(&args.place.folder)?.revoke(id, now_s()?)?;
    println!("revoked {id}; revocations.cwt is list {number} now: give it to the devices");
    Ok(())
}

fn renew(place: &Place) -> Result<()> {
    let number = Folder::open(&place.folder)?.renew(now_s()?)?;
    println!("revocations.cwt is list {number} now: give it to the devices");
    Ok(())
}

fn rotate(args: &Rotate) -> Result<()> {
    let mut folder = Folder::open(&args.place.folder)?;
    let known = folder.tenant().keys().len();
    ensure!(
        args.forget || known < MAX_AUTHORITY_KEYS,
        "there are {known} keys already, the most there may be: --forget the old ones"
    );
    folder.rotate(args.forget, now_s()?)?;
    println!("the authority has a new key; give tenant.json and revocations.cwt to the devices");
    Ok(())
}

impl Posture {
    fn device(&self, id: &str) -> Result<Device> {
        use farpane_policy::Posture as Verdict;
        let posture = match self.compliance {
            ComplianceArg::Unknown => Verdict::Unknown,
            ComplianceArg::Compliant => Verdict::Compliant,
            ComplianceArg::NotCompliant => Verdict::NotCompliant,
        };
        let id = DeviceId::new(id).with_context(|| format!("the device's id {id:?}"))?;
        let findings = self.findings.clone();
        Ok(Device { id, enrolled: self.enrolled, posture, findings })
    }
}

/// The names of groups or devices, as credentials want them: in ascending order, each once.
fn ids<T: Ord>(texts: &[String], new: fn(&str) -> Result<T, IdError>) -> Result<Vec<T>> {
    let ids = texts.iter().map(|text| new(text).with_context(|| format!("{text:?}")));
    let mut ids = ids.collect::<Result<Vec<_>>>()?;
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

#[cfg(test)]
mod tests;
