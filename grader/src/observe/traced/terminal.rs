//! Programs that ask whether their output is a terminal.
//!
//! On a terminal a program prints each line as it comes; into a pipe or a file, most languages keep what is printed until
//! there is much of it, or until the process ends.
//! What a learner sees is the former, so one schedule says yes; the bytes come by the pipe all the same.

use super::Run;
use crate::observe::proc;
use crate::sys::{Stopped, SystemCall};

/// A terminal as it is when somebody logs in, as tcgetattr(3) tells it: `struct termios` of the kernel, four words of flags
/// (input, output, control, local), the line discipline and the control characters.
const TERMINAL: [u8; 36] = {
    let mut bytes = [0; 36];
    let flags = [0x0500_u32, 0x0005, 0x00bf, 0x8a3b];
    let mut at = 0;
    while at < 16 {
        bytes[at] = flags[at / 4].to_ne_bytes()[at % 4];
        at += 1;
    }
    bytes
};

impl Run<'_> {
    /// A thread is about to ask whether a descriptor is a terminal; where that is an output, the schedule has an answer.
    pub(super) fn asks_for_terminal(&mut self, stopped: &Stopped, call: &SystemCall) {
        let tid = stopped.tid();
        let is_output = proc::descriptor(tid, call.args[0])
            .is_some_and(|target| self.outputs.iter().any(|output| output.is(&target)));
        if !is_output {
            return;
        }
        self.asks_for_terminal = true;
        // Where there is no room for the answer, the kernel gives its own.
        if self.plan.schedule.is_on_terminal() && proc::overwrite(tid, call.args[2], &TERMINAL).is_some() {
            let _ = stopped.answer_call(0);
        }
    }
}
