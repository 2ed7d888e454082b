//! Output that says it is a terminal.

use grader::model::{Policy, Schedule};
use grader::runner::run_all;
use grader::schedule::Selection;

use crate::support::{FREE, patient, program, python, question, run, run_with, schedules, shell, texts};

const TERMINAL: Schedule = Schedule { policy: Policy::ChildrenLast, seed: 1 };

#[test]
fn the_outputs_are_terminals_under_one_schedule_and_nothing_else_is() {
    let asks = python(
        "
def is_terminal(descriptor):
    try: termios.tcgetattr(descriptor); return os.isatty(descriptor)
    except termios.error: return False
import termios
say(str([is_terminal(descriptor) for descriptor in (0, 1, 2, os.dup(1), os.pipe()[1])]))",
    );
    for schedule in schedules() {
        assert_eq!(texts(&run(&asks, schedule)), ["[False, False, False, False, False]"], "{schedule}");
    }
    assert_eq!(texts(&run(&asks, TERMINAL)), ["[False, True, True, True, False]"]);
}

#[test]
fn a_terminal_is_as_it_is_after_a_login() {
    let asks = python(
        "
import termios
_, output, control, local, *_ = termios.tcgetattr(1)
say(str([bool(output & termios.OPOST), control & termios.CSIZE == termios.CS8, bool(local & termios.ICANON)]))",
    );
    assert_eq!(texts(&run(&asks, TERMINAL)), ["[True, True, True]"]);
}

#[test]
fn who_has_no_room_for_the_answer_is_told_so() {
    let asks = python(
        "
libc = ctypes.CDLL(None, use_errno=True)
say(str((libc.ioctl(1, 0x5401, ctypes.c_void_p(8)), ctypes.get_errno())))",
    );
    // ENOTTY or EFAULT, whichever the kernel looks at first.
    let seen = run(&asks, TERMINAL);
    assert!(["(-1, 25)", "(-1, 14)"].contains(&texts(&seen)[0]), "{seen:?}");
}

#[test]
fn a_line_comes_out_at_once_on_a_terminal() {
    let forgets = python("print('lost'); os._exit(0)");
    assert_eq!(texts(&run(&forgets, TERMINAL)), ["lost"]);
    assert!(texts(&run(&forgets, FREE)).is_empty());
}

#[test]
fn only_who_asks_gets_a_run_on_a_terminal() {
    let asked = |script| run_with(&shell(script), "", &patient(), FREE).asks_for_terminal;
    assert_eq!(["true", "test -t 0", "test -t 1", "test -t 2 | cat"].map(asked), [false, false, true, true]);
    let was_made = |executable, args: &[&str]| {
        let runs = run_all(&program(executable, args), &question(), &Selection::quick()).expect("runs");
        runs.records.iter().any(|record| record.schedule == TERMINAL)
    };
    assert!(was_made("/bin/sh", &["-c", "test -t 1; echo"]));
    assert!(!was_made("/bin/echo", &[]));
}
