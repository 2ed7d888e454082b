//! Lines and their writers, whatever way they take to the output.

use std::time::Duration;

use grader::model::{Ending, Limit, Limits, Observation, Stream};

use crate::support::{
    FREE, assert_right_end, free, patient, python, run, run_with, schedules, texts, written,
};

#[test]
fn every_call_that_can_print_is_told_with_its_writer() {
    let ways = [
        "os.write(1, b'text\\n')",
        "os.writev(1, [b'te', b'xt\\n'])",
        "ctypes.CDLL(None).pwritev2(1, (ctypes.c_void_p * 2)(ctypes.cast(b'text\\n', ctypes.c_void_p), 5), 1, ctypes.c_long(-1), 0)",
        "r, w = os.pipe(); os.write(w, b'text\\n'); os.splice(r, 1, 5)",
        "r, w = os.pipe(); os.write(w, b'text\\n'); ctypes.CDLL(None).tee(r, 1, 5, 0)",
        "f = os.memfd_create('f'); os.write(f, b'text\\n'); os.sendfile(1, f, 0, 5)",
        "ctypes.CDLL(None).vmsplice(1, (ctypes.c_void_p * 2)(ctypes.cast(b'text\\n', ctypes.c_void_p), 5), 1, 0)",
        "os.dup2(1, 77); os.write(77, b'text\\n')",
        "open('/dev/stdout', 'w').write('text\\n')",
        "open('/proc/self/fd/1', 'w').write('text\\n')",
        "os.dup2(1, 5); os.closerange(0, 3); os.write(5, b'text\\n')",
        "threading.Thread(target=say, args=['text']).start()",
        "print('text')",
        "os.system('echo text')",
    ];
    for way in ways {
        let script = format!("if os.fork() == 0:\n    {way}\n    sys.exit(0)\nos.wait()");
        let record = free(&script);
        let writer = if way.contains("system") { 2 } else { 1 };
        assert_eq!(written(&record), [("text", writer)], "{way}");
    }
}

#[test]
fn a_line_in_pieces_is_put_together_for_each_process_under_every_schedule() {
    let script = python(
        "
for number in range(4):
    if os.fork() == 0:
        for piece in ('line ', 'of ', f'{number}\\n'): os.write(1, piece.encode())
        os._exit(0)
for number in range(4): os.wait()",
    );
    for schedule in schedules() {
        let record = run(&script, schedule);
        assert_right_end(&record);
        let mut lines = texts(&record);
        lines.sort_unstable();
        assert_eq!(lines, ["line of 0", "line of 1", "line of 2", "line of 3"], "{schedule}");
        assert!(record.lines.iter().all(|line| line.writer.is_some_and(|writer| writer > 0)));
    }
}

#[test]
fn fifty_at_once_keep_their_lines() {
    let record = free(
        "
for child in range(50):
    if os.fork() == 0:
        for line in range(20): say(f'{child} {line}')
        os._exit(0)
for child in range(50): os.wait()",
    );
    assert_right_end(&record);
    assert_eq!(record.lines.len(), 1000);
    for writer in 1..=50 {
        let own: Vec<_> = record.lines.iter().filter(|line| line.writer == Some(writer)).collect();
        let child = own[0].text.split(' ').next().unwrap();
        let expected: Vec<String> = (0..20).map(|line| format!("{child} {line}")).collect();
        assert_eq!(own.iter().map(|line| line.text.clone()).collect::<Vec<_>>(), expected);
        assert!(own.iter().all(|line| !line.torn));
    }
}

#[test]
fn output_larger_than_a_pipe_is_whole() {
    let limits = Limits { output: 8 << 20, ..patient() };
    let script = python("os.write(1, b'x' * ((5 << 20) - 1) + b'\\n'); os.write(2, b'end')");
    for schedule in schedules().into_iter().take(5) {
        let record = run_with(&script, "", &limits, schedule).record;
        assert_right_end(&record);
        assert_eq!(record.stream(Stream::Stdout)[0].text.len(), (5 << 20) - 1);
        assert_eq!(record.stream(Stream::Stderr)[0].text, "end");
    }
}

#[test]
fn a_flood_ends_the_run_and_the_limit_itself_does_not() {
    let limits = Limits { output: 100_000, ..patient() };
    let flood = run_with(&python("while True: os.write(1, b'y\\n' * 5000)"), "", &limits, FREE).record;
    assert_eq!(flood.ending, Ending::LimitExceeded(Limit::Output));
    let full = run_with(&python("os.write(1, b'y\\n' * 50_000)"), "", &limits, FREE).record;
    assert_right_end(&full);
    assert_eq!(full.lines.len(), 50_000);
}

#[test]
fn a_writer_that_is_killed_half_way_leaves_what_it_wrote() {
    let record = free(
        "
child = os.fork()
if child == 0: os.write(1, b'half'); signal.pause()
time.sleep(0.1); os.kill(child, 9); os.wait(); say('whole')",
    );
    assert_eq!(written(&record), [("half", 1), ("whole", 0)]);
}

#[test]
fn a_descriptor_is_the_low_half_of_what_is_given() {
    let record = free(
        "
a, b = os.pipe()
if os.fork() == 0: os.read(a, 1); os.write(1, b''); say('child'); os._exit(0)
text = b'main\\n'
ctypes.CDLL(None).syscall(ctypes.c_long(1), ctypes.c_long(1 << 32 | 1), text, ctypes.c_long(len(text)))
os.write(b, b'x'); os.wait()",
    );
    assert_eq!(written(&record), [("child", 1), ("main", 0)], "{record:?}");
}

#[test]
fn a_line_without_a_newline_stands_where_it_was_written() {
    let record = free(
        "
os.write(1, b'Done!')
if os.fork() == 0: say('child'); os._exit(0)
os.wait()",
    );
    assert_eq!(texts(&record), ["Done!", "child"]);
}

#[test]
fn whatever_a_thread_is_writing_when_time_is_up_is_its_own() {
    let limits = Limits { wall: Duration::from_millis(200), ..patient() };
    let script = python(
        "
def speak():
    while True: say('x'); time.sleep(0.0001)
threading.Thread(target=speak).start()",
    );
    for _ in 0..5 {
        let record = run_with(&script, "", &limits, FREE).record;
        assert_eq!((record.ending, record.observation), (Ending::TimedOut, Observation::Full));
    }
}

#[test]
fn a_writer_that_waits_for_its_own_input_keeps_nobody_from_writing() {
    let script = python(
        "
ready, feed = os.pipe()
if os.fork() == 0: os.splice(ready, 1, 100); os._exit(0)
if os.fork() == 0: say('first'); os.write(feed, b'second\\n'); os._exit(0)
os.close(feed); os.wait(); os.wait()",
    );
    for schedule in schedules() {
        let record = run(&script, schedule);
        assert_right_end(&record);
        assert_eq!(written(&record), [("first", 2), ("second", 1)], "{schedule}");
    }
}

#[test]
fn input_of_a_mebibyte_arrives_under_every_schedule() {
    let input = "line\n".repeat(1 << 18);
    let script = python(
        "
if os.fork() == 0: say(str(len(sys.stdin.buffer.read()))); os._exit(0)
os.wait()",
    );
    for schedule in schedules().into_iter().take(6) {
        let record = run_with(&script, &input, &patient(), schedule).record;
        assert_eq!(texts(&record), ["1310720"], "{schedule}: {record:?}");
    }
}
