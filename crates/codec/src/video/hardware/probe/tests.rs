use super::*;

/// Long enough for a shell to start on a busy machine.
const AMPLE: Duration = Duration::from_secs(20);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn run(script: &str) -> Verdict {
    Probe::run(shell(script), AMPLE)
}

fn reason(text: &str) -> Verdict {
    Verdict::Fails { reason: text.into() }
}

#[test]
fn verdicts_are_taken_from_the_process() {
    let works = Verdict::Works { driver: "some driver 1.2".into() };
    assert_eq!(run("echo farpane-probe works some driver 1.2"), works);
    assert_eq!(run("echo farpane-probe fails no device; exit 1"), reason("no device"));
    assert_eq!(run("echo farpane-probe fails no device"), reason("no device"));
    let noisy = "echo hello; printf 'half a line'; echo; echo farpane-probe works some driver 1.2";
    assert_eq!(run(noisy), works);
    assert_eq!(run("echo noise >&2; echo farpane-probe works some driver 1.2; echo bye"), works);
    let last = "echo farpane-probe works x; echo farpane-probe fails after all; exit 1";
    assert_eq!(run(last), reason("after all"));
}

#[test]
fn a_process_without_a_verdict_fails() {
    let none = reason("the probe gave no verdict");
    assert_eq!(run("true"), none);
    assert_eq!(run("echo rubbish; printf '\\377\\000\\001'"), none);
    for said in [
        "farpane-probe",
        "farpane-probeworks x",
        "farpane-probe maybe x",
        "x farpane-probe works x",
    ] {
        assert_eq!(run(&format!("echo '{said}'")), none, "{said}");
    }
}

#[test]
fn a_verdict_is_one_bounded_line() {
    let long = run("printf 'farpane-probe fails a\\tb%03000d\\n' 7; exit 1");
    let Verdict::Fails { reason } = long else { panic!("{long:?}") };
    assert!(reason.starts_with("a b000") && reason.len() == TEXT_CHARS, "{reason}");
}

#[test]
fn a_process_that_crashes_is_told_however_it_ends() {
    let by_signal = run("echo farpane-probe works until now; kill -SEGV $$");
    let Verdict::Crashed { status } = by_signal else { panic!("{by_signal:?}") };
    assert!(status.contains("signal: 11"), "{status}");
    let by_code = run("exit 101");
    let Verdict::Crashed { status } = by_code else { panic!("{by_code:?}") };
    assert!(status.contains("101"), "{status}");
    assert!(matches!(run("echo farpane-probe works; exit 3"), Verdict::Crashed { .. }));
    let contrary = run("echo farpane-probe works but; exit 3");
    assert!(matches!(contrary, Verdict::Crashed { .. }), "{contrary:?}");
    let failing = run("echo farpane-probe fails and; kill -ABRT $$");
    assert!(matches!(failing, Verdict::Crashed { .. }), "{failing:?}");
}

#[test]
fn a_process_that_hangs_costs_the_limit_and_is_killed() {
    let limit = Duration::from_millis(300);
    let hanging = [
        "exec sleep 60",
        "echo farpane-probe works; exec sleep 60",
        "exec >&-; exec sleep 60",
        "exec yes",
    ];
    for script in hanging {
        let began = Instant::now();
        assert_eq!(Probe::run(shell(script), limit), Verdict::Hung, "{script}");
        let took = began.elapsed();
        assert!(took >= limit && took < limit + Duration::from_millis(700), "{took:?}");
    }
}

#[test]
fn a_process_that_hung_is_gone_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = shell("echo $$ > pid; exec sleep 60");
    command.current_dir(folder.path());
    assert_eq!(Probe::run(command, Duration::from_millis(300)), Verdict::Hung);
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    let alive = shell(&format!("kill -0 {} 2>&1", pid.trim())).output().unwrap();
    assert!(!alive.status.success());
}

#[test]
fn a_probe_that_nobody_ends_ends_itself() {
    const CHILD: &str = "FARPANE_TEST_ORPHAN";
    if std::env::var_os(CHILD).is_some() {
        end_after(Duration::from_millis(50));
        loop {
            thread::park();
        }
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = "video::hardware::probe::tests::a_probe_that_nobody_ends_ends_itself";
    command.args([name, "--exact"]).env(CHILD, "1");
    let found = Probe::run(command, AMPLE);
    let Verdict::Crashed { status } = found else { panic!("{found:?}") };
    assert!(status.contains("signal: 6"), "{status}");
}

#[test]
fn megabytes_of_output_neither_block_nor_hide_the_verdict() {
    let works = Verdict::Works { driver: "x".into() };
    let megabytes = "head -c 8000000 /dev/zero; echo";
    assert_eq!(run(&format!("{megabytes}; echo farpane-probe works x")), works);
    let buried = run(&format!("echo farpane-probe works x; {megabytes}"));
    assert_eq!(buried, reason("the probe gave no verdict"));
}

#[test]
fn a_process_that_leaves_another_behind_does_not_keep_anybody_waiting() {
    let began = Instant::now();
    let found = run("sleep 3 & echo farpane-probe works x");
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(found, Verdict::Works { driver: "x".into() });
}

#[test]
fn a_program_that_is_not_there_says_nothing_of_the_driver() {
    let found = Probe::run(Command::new("/nonexistent/program"), AMPLE);
    let Verdict::NotRun { reason } = found else { panic!("{found:?}") };
    assert!(reason.starts_with("the probe could not be started: "), "{reason}");
}
