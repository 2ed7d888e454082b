//! One run of a program: what it prints, how it ends, and that nothing of it is left.
//!
//! The submissions are one-liners for `/bin/sh`.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use grader::model::{
    Ending, ExitStatus, Invocation, Limit, Limits, Observation, Policy, RunRecord, Schedule, Stream, Waited,
};
use grader::observe::{RunError, run_plain};
use grader::submission::Program;

const FREE: Schedule = Schedule { policy: Policy::Free, seed: 0 };

fn shell(script: &str) -> Program {
    Program {
        executable: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        folder: std::env::temp_dir(),
    }
}

fn run_with(script: &str, stdin: &str, limits: &Limits) -> RunRecord {
    let invocation = Invocation { args: Vec::new(), stdin: stdin.to_owned() };
    run_plain(&shell(script), &invocation, limits, FREE, "no tracer").unwrap()
}

fn run(script: &str) -> RunRecord {
    run_with(script, "", &patient())
}

/// Limits that no test reaches because its machine is busy.
fn patient() -> Limits {
    seconds(120.0)
}

fn texts(record: &RunRecord, stream: Stream) -> Vec<&str> {
    record.stream(stream).iter().map(|line| line.text.as_str()).collect()
}

fn seconds(wall: f64) -> Limits {
    Limits { wall: Duration::from_secs_f64(wall), ..Limits::default() }
}

/// A duration in seconds that no other process of the machine sleeps for.
///
/// A process of the submission that runs `sleep` with it is found by it, whatever it did to hide.
struct Token(String);

impl Token {
    fn new() -> Token {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Token(format!("9{:07}.{:05}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The processes whose command line holds it; one that has ended has no command line.
    fn holders(&self) -> Vec<String> {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let lines = entries.map(|entry| fs::read(entry.path().join("cmdline")).unwrap_or_default());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        lines.filter(|line| line.contains(&self.0)).collect()
    }

    fn assert_gone(&self) {
        assert_eq!(self.holders(), Vec::<String>::new());
    }
}

#[test]
fn a_program_that_prints_and_exits_is_recorded() {
    let record = run("echo out; echo err >&2; echo again; exit 3");
    assert_eq!(texts(&record, Stream::Stdout), ["out", "again"]);
    assert_eq!(texts(&record, Stream::Stderr), ["err"]);
    assert_eq!(record.ending, Ending::Finished);
    assert_eq!(record.main_status(), Some(ExitStatus::Code(3)));
    assert_eq!(record.observation, Observation::OutputOnly { reason: "no tracer".to_owned() });
    assert!(record.machine.cpus.first().is_some_and(|count| *count > 0));
    let [main] = record.processes.as_slice() else { panic!("{:?}", record.processes) };
    assert_eq!((main.number, main.parent, main.label().as_str()), (0, None, "main"));
    assert_eq!((main.program.as_str(), main.waited, main.ended), ("sh", Waited::Unknown, Some(record.wall)));
    assert!(main.peak_memory > 100 << 10, "{}", main.peak_memory);
    assert!(record.lines.is_sorted_by_key(|line| line.at));
}

#[test]
fn every_exit_code_and_every_signal_is_told_apart() {
    for code in [0, 1, 42, 126, 127, 137, 255] {
        assert_eq!(run(&format!("exit {code}")).main_status(), Some(ExitStatus::Code(code)));
    }
    for (name, signal) in [("TERM", 15), ("KILL", 9), ("SEGV", 11), ("ABRT", 6), ("PIPE", 13), ("USR1", 10)] {
        let record = run(&format!("kill -{name} $$"));
        assert_eq!(record.main_status(), Some(ExitStatus::Signal(signal)), "{name}");
        assert_eq!(record.ending, Ending::Finished, "{name}");
    }
}

#[test]
fn arguments_and_standard_input_are_passed_on() {
    let mut program = shell("echo \"$0 $1\"; cat");
    program.args.push("first".into());
    let invocation = Invocation { args: vec!["second word".to_owned()], stdin: "one\ntwo".to_owned() };
    let record = run_plain(&program, &invocation, &patient(), FREE, "").unwrap();
    assert_eq!(texts(&record, Stream::Stdout), ["first second word", "one", "two"]);
}

#[test]
fn nothing_of_the_grader_reaches_the_program_but_four_variables() {
    let record = run("/usr/bin/env | sort; umask");
    let lines = texts(&record, Stream::Stdout);
    let names: Vec<&str> =
        lines.iter().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    // The shell adds PWD, and some shells two more.
    let own: Vec<&str> =
        names.into_iter().filter(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name)).collect();
    assert_eq!(own, ["HOME", "LANG", "PATH", "TMPDIR"]);
    assert!(lines.contains(&"LANG=C.UTF-8"));
    assert!(lines.last().is_some_and(|umask| umask.ends_with("0022")), "{lines:?}");
}

#[test]
fn the_temporary_folder_is_private_and_removed_even_if_closed() {
    let record = run(
        "stat -c %a \"$TMPDIR\"; mkdir -p \"$TMPDIR/a/b\"; touch \"$TMPDIR/a/b/c\"; chmod 0 \"$TMPDIR/a\"; echo \"$TMPDIR\"",
    );
    let [mode, folder] = texts(&record, Stream::Stdout)[..] else { panic!("{record:?}") };
    assert_eq!(mode, "700");
    assert!(PathBuf::from(folder).is_absolute());
    assert!(!PathBuf::from(folder).exists());
}

#[test]
fn the_program_has_three_descriptors_and_a_session_without_a_terminal() {
    // The fourth descriptor is the folder that `ls` itself reads.
    let record = run("ls /proc/self/fd; ps -o sid= -p $$; echo $$");
    let lines = texts(&record, Stream::Stdout);
    assert_eq!(lines[..4], ["0", "1", "2", "3"]);
    assert_eq!(lines[4].trim(), lines[5]);
    assert_ne!(run("true < /dev/tty").main_status(), Some(ExitStatus::Code(0)), "there is a terminal");
}

#[test]
fn no_signal_is_blocked_or_ignored() {
    let args = ["-hE", "^Sig(Blk|Ign)", "/proc/self/status"].map(Into::into).into();
    let program = Program { executable: "/bin/grep".into(), args, folder: "/".into() };
    let record = run_plain(&program, &Invocation::default(), &patient(), FREE, "").unwrap();
    assert_eq!(texts(&record, Stream::Stdout), ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"]);
}

#[test]
fn a_program_that_reads_nothing_of_a_large_input_ends_as_it_likes() {
    let record = run_with("exec <&-; echo done", &"x".repeat(5 << 20), &patient());
    assert_eq!(texts(&record, Stream::Stdout), ["done"]);
    assert!(record.wall < Duration::from_secs(30), "{:?}", record.wall);
}

#[test]
fn a_large_input_is_echoed_back_in_full() {
    let stdin: String = (0..400_000).map(|number| format!("line {number}\n")).collect();
    let limits = Limits { output: 64 << 20, ..patient() };
    let record = run_with("tee /dev/stderr", &stdin, &limits);
    for stream in [Stream::Stdout, Stream::Stderr] {
        assert!(texts(&record, stream).iter().eq(&stdin.lines().collect::<Vec<_>>()));
    }
}

#[test]
fn an_empty_input_is_an_end_of_file_and_no_output_is_no_line() {
    let record = run("cat");
    assert_eq!((record.main_status(), record.lines.len()), (Some(ExitStatus::Code(0)), 0));
}

#[test]
fn bytes_that_are_no_text_are_kept_as_well_as_can_be() {
    let record = run(r"printf 'caf\351\na\000b\033[31m\r\nlast'");
    assert_eq!(texts(&record, Stream::Stdout), ["caf\u{fffd}", "a\0b\u{1b}[31m", "last"]);
    let invalid: Vec<bool> = record.lines.iter().map(|line| line.invalid_utf8).collect();
    assert_eq!(invalid, [true, false, false]);
}

#[test]
fn a_flood_is_cut_off_at_the_limit_of_both_streams_together() {
    let token = Token::new();
    let started = Instant::now();
    let record = run(&format!("yes stdout & yes stderr >&2 & sleep {}", token.0));
    assert_eq!(record.ending, Ending::LimitExceeded(Limit::Output));
    assert_eq!((record.main_status(), record.processes[0].ended), (None, None));
    let bytes: usize = record.lines.iter().map(|line| line.text.len() + 1).sum();
    assert!((1 << 20..=(1 << 20) + 2).contains(&bytes), "{bytes}");
    assert!(started.elapsed() < Duration::from_secs(30));
    token.assert_gone();
}

#[test]
fn exactly_as_much_as_is_allowed_is_allowed() {
    let limits = Limits { output: 6, ..patient() };
    assert_eq!(run_with("printf 123456", "", &limits).ending, Ending::Finished);
    let over = run_with("printf 1234567; exec sleep 1000", "", &limits);
    assert_eq!(
        (over.ending.clone(), texts(&over, Stream::Stdout)),
        (Ending::LimitExceeded(Limit::Output), vec!["123456"])
    );
}

#[test]
fn one_line_of_fifty_million_bytes_is_read_in_linear_time() {
    let limits = Limits { output: 100 << 20, ..patient() };
    let record = run_with("head -c 50000000 /dev/zero | tr '\\0' x", "", &limits);
    assert_eq!(record.ending, Ending::Finished);
    assert_eq!(record.lines.iter().map(|line| line.text.len()).collect::<Vec<_>>(), [50_000_000]);
}

#[test]
fn an_endless_loop_times_out_whatever_signals_it_ignores() {
    for script in
        ["while :; do :; done", "trap '' TERM INT HUP XCPU; while :; do :; done", "kill -STOP $$", "cat"]
    {
        let stdin = if script == "cat" { "x" } else { "" };
        let script = format!("{script}; exec sleep 1000");
        let record = run_with(&script, stdin, &seconds(0.4));
        assert_eq!(record.ending, Ending::TimedOut, "{script}");
        assert_eq!(record.main_status(), None, "{script}");
        assert!(
            (Duration::from_millis(400)..Duration::from_secs(30)).contains(&record.wall),
            "{:?}",
            record.wall
        );
    }
}

#[test]
fn what_was_printed_before_the_time_was_up_is_kept() {
    let record = run_with("echo begun; printf half; exec sleep 1000", "", &seconds(3.0));
    assert_eq!(
        (record.ending.clone(), texts(&record, Stream::Stdout)),
        (Ending::TimedOut, vec!["begun", "half"])
    );
}

#[test]
fn cpu_time_is_limited_for_a_program_that_ignores_the_warning_too() {
    let limits = Limits { cpu: Duration::from_millis(300), ..patient() };
    for (script, signal) in [("while :; do :; done", 24), ("trap '' XCPU; while :; do :; done", 9)] {
        let record = run_with(script, "", &limits);
        assert_eq!(record.ending, Ending::LimitExceeded(Limit::Cpu), "{script}");
        assert_eq!(record.main_status(), Some(ExitStatus::Signal(signal)));
        assert!(record.processes[0].cpu > Duration::from_millis(100), "{:?}", record.processes[0].cpu);
    }
}

#[test]
fn memory_is_limited() {
    let limits = Limits { memory: 64 << 20, ..patient() };
    let script = "a=x; while [ ${#a} -lt 200000000 ]; do a=$a$a; done; echo all";
    let record = run_with(script, "", &limits);
    assert_eq!(texts(&record, Stream::Stdout), Vec::<&str>::new(), "{:?}", record.main_status());
    assert_ne!(record.main_status(), Some(ExitStatus::Code(0)));
}

#[test]
fn a_child_that_prints_shortly_after_main_s_end_is_still_heard() {
    // On a busy machine the child may come too late, but not every time.
    let heard = (0..50).any(|_| {
        let record = run("( sleep 0.02; echo late ) & echo main");
        assert_eq!(record.processes[0].ended, Some(record.wall));
        texts(&record, Stream::Stdout) == ["main", "late"]
    });
    assert!(heard);
}

#[test]
fn a_daemon_that_holds_the_streams_is_not_waited_for_and_is_gone() {
    let token = Token::new();
    let started = Instant::now();
    let record = run(&format!("( setsid sleep {} & ) ; echo main", token.0));
    assert_eq!((record.ending.clone(), record.main_status()), (Ending::Finished, Some(ExitStatus::Code(0))));
    assert_eq!(texts(&record, Stream::Stdout), ["main"]);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    token.assert_gone();
}

#[test]
fn a_daemon_that_writes_for_ever_is_listened_to_for_a_second() {
    let token = Token::new();
    let script = format!(
        "( setsid sh -c 'while :; do echo tick; : > \"$TMPDIR/on\"; sleep 0.02; done; sleep {}' & ) ; \
         while ! [ -e \"$TMPDIR/on\" ]; do sleep 0.01; done",
        token.0
    );
    let started = Instant::now();
    let record = run(&script);
    assert_eq!(record.ending, Ending::Finished);
    assert_eq!(texts(&record, Stream::Stdout)[0], "tick");
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    token.assert_gone();
}

#[test]
fn processes_that_hide_are_found() {
    for hidden in [
        "( env -i /usr/bin/setsid sleep TOKEN >/dev/null 2>&1 </dev/null & )",
        "( trap '' TERM HUP INT; cd /; TMPDIR=/ setsid setsid sleep TOKEN >/dev/null 2>&1 & )",
        "for i in 1 2 3 4 5 6 7 8 9 10; do ( setsid sleep TOKEN & ) ; done",
        "( setsid sh -c 'kill -STOP $$; sleep TOKEN' & )",
        "sleep TOKEN & kill -KILL $$",
    ] {
        let token = Token::new();
        run(&hidden.replace("TOKEN", &token.0));
        token.assert_gone();
    }
}

#[test]
fn chains_of_processes_that_fork_and_end_are_broken() {
    let token = Token::new();
    // Each link of a chain starts the next and ends; its command line is that of the shell that began.
    let script =
        format!(": {}; hop() {{ hop & exit 0; }}; for i in 1 2 3 4; do hop & done; sleep 0.05", token.0);
    let record = run(&script);
    assert_eq!(record.ending, Ending::Finished);
    token.assert_gone();
}

#[test]
fn a_submission_that_kills_its_parent_ends_with_it() {
    let token = Token::new();
    let script = format!("sleep {0} & setsid sleep {0} & kill -KILL $PPID; sleep {0}", token.0);
    let record = run(&script);
    assert_eq!(
        (record.ending.clone(), record.main_status()),
        (Ending::Finished, Some(ExitStatus::Signal(9)))
    );
    token.assert_gone();
}

#[test]
fn a_submission_that_stops_its_parent_times_out() {
    let token = Token::new();
    let record = run_with(&format!("kill -STOP $PPID; setsid sleep {} & exit 0", token.0), "", &seconds(0.3));
    assert_eq!(record.ending, Ending::TimedOut);
    token.assert_gone();
}

#[test]
fn an_orphan_that_ended_is_taken_note_of_as_by_an_init_process() {
    let record = run("(sh -c 'echo $$' & ) > \"$TMPDIR/pid\"; while ! [ -s \"$TMPDIR/pid\" ]; do :; done; \
                      while kill -0 \"$(cat \"$TMPDIR/pid\")\" 2>/dev/null; do sleep 0.01; done; echo gone");
    assert_eq!(texts(&record, Stream::Stdout), ["gone"]);
}

#[test]
fn a_program_that_cannot_be_executed_is_said_to_be_the_submission_s_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("program");
    let start = |content: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let program = Program { executable: file.clone(), args: Vec::new(), folder: std::env::temp_dir() };
        match run_plain(&program, &Invocation::default(), &patient(), FREE, "") {
            Err(RunError::Start { sentence, .. }) => sentence,
            other => panic!("{other:?}"),
        }
    };
    assert!(start("no program\n", 0o755).contains("is neither a program for this machine nor a script"));
    assert!(start("#!/no/such/interpreter\n", 0o755).contains("The interpreter that"));
    assert!(start("#!/bin/sh\n", 0o644).contains("may not be executed"));
    fs::remove_file(&file).unwrap();
    let program = Program { executable: file.clone(), args: Vec::new(), folder: std::env::temp_dir() };
    let error = run_plain(&program, &Invocation::default(), &patient(), FREE, "").unwrap_err();
    assert!(matches!(error, RunError::Start { sentence, .. } if sentence.starts_with("There is no file")));
}

#[test]
fn a_folder_that_is_not_there_is_the_grader_s_trouble() {
    let program = Program { folder: "/no/such/folder".into(), ..shell("true") };
    let error = run_plain(&program, &Invocation::default(), &patient(), FREE, "").unwrap_err();
    assert_eq!(error.to_string(), "prepare the run of `/bin/sh` (its folder)");
}

#[test]
fn sixteen_runs_at_once_do_not_disturb_each_other() {
    let tokens: Vec<Token> = (0..16).map(|_| Token::new()).collect();
    std::thread::scope(|scope| {
        for (number, token) in tokens.iter().enumerate() {
            scope.spawn(move || {
                let pause = 0.02 * (number % 4) as f64;
                let script = format!(
                    "( env -i setsid sleep {} & ) ; read line; echo $line; sleep {pause}; exit {number}",
                    token.0
                );
                let record = run_with(&script, &format!("input {number}\n"), &patient());
                assert_eq!(record.main_status(), Some(ExitStatus::Code(number as i32)));
                assert_eq!(texts(&record, Stream::Stdout), [format!("input {number}")]);
                token.assert_gone();
            });
        }
    });
}
