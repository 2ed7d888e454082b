//! What one would write by hand over the crate `ipc-channel`: a process for each worker, a thread for each
//! process, and one call under way at each.

use std::process::{Child, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use ipc_channel::ipc::{self, IpcOneShotServer, IpcReceiver, IpcSender};

use super::{IPC_WORKER, start_again, workers};
use crate::measure;

/// The ends of the channels that a worker sends to its parent.
type Ends = (IpcSender<u64>, IpcReceiver<u64>);

struct Worker {
    child: Child,
    calls: IpcSender<u64>,
    results: IpcReceiver<u64>,
}

impl Worker {
    fn start() -> Worker {
        let (server, name) = IpcOneShotServer::<Ends>::new().expect("a server");
        let child = start_again(&[IPC_WORKER, &name], Stdio::null());
        let (_, (calls, results)) = server.accept().expect("the worker answers");
        Worker { child, calls, results }
    }

    fn square(&self, x: u64) -> u64 {
        self.calls.send(x).expect("the worker listens");
        self.results.recv().expect("the worker answers")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().expect("a child of ours can be killed");
        self.child.wait().expect("a child of ours can be waited for");
    }
}

/// What a worker does.
pub fn work(server: &str) -> ExitCode {
    let (call_sender, calls) = ipc::channel::<u64>().expect("a channel");
    let (results, result_receiver) = ipc::channel::<u64>().expect("a channel");
    let server = IpcSender::<Ends>::connect(server.to_owned()).expect("the parent listens");
    server.send((call_sender, result_receiver)).expect("the parent listens");
    while let Ok(x) = calls.recv() {
        results.send(x * x).expect("the parent listens");
    }
    ExitCode::SUCCESS
}

pub fn map_single() -> f64 {
    let mut workers: Vec<Worker> = (0..workers()).map(|_| Worker::start()).collect();
    let items = 100_000;
    measure::rate(items as usize, 5, || {
        let next = AtomicU64::new(0);
        let mut squares = vec![0; items as usize];
        let serve = |worker: &mut Worker| {
            let calls = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|x| *x < items);
            std::iter::from_fn(calls).map(|x| (x, worker.square(x))).collect::<Vec<_>>()
        };
        std::thread::scope(|scope| {
            let serve = &serve;
            let threads: Vec<_> =
                workers.iter_mut().map(|worker| scope.spawn(move || serve(worker))).collect();
            for (x, square) in threads.into_iter().flat_map(|thread| thread.join().expect("no panic")) {
                squares[x as usize] = square;
            }
        });
        assert_eq!(squares.last(), Some(&((items - 1) * (items - 1))));
    })
}

pub fn apply() -> f64 {
    let worker = Worker::start();
    measure::micros(5000, || assert_eq!(worker.square(3), 9))
}
