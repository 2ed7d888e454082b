//! What happens when the system has no more memory or no more descriptors to give.
//!
//! Each test lowers its limits in a process of its own.

use std::os::fd::AsRawFd;

use multiprocessing::{Builder, Error, Pool, SharedBytesMut, StartMethod, Value};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::support::{
    FOREVER, Watched, alone, by_each_method, descriptors, start, start_pool, wait_for_death,
};

fn square(x: u64) -> u64 {
    x * x
}

fn limit(resource: Resource, current: u64) {
    setrlimit(resource, Rlimit { current: Some(current), ..getrlimit(resource) }).unwrap();
}

/// Lets this process have so much more memory than it has now.
fn leave_memory(bytes: u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    let kilobytes: u64 = size.trim().trim_end_matches(" kB").parse().unwrap();
    limit(Resource::As, (kilobytes << 10) + bytes);
}

/// So many bytes that take no memory until they are copied.
struct Zeroes(Vec<u8>);

impl Zeroes {
    fn new(_: u8) -> Zeroes {
        Zeroes(vec![0; 3 << 30])
    }
}

impl Serialize for Zeroes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Zeroes {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Zeroes, D::Error> {
        Err(serde::de::Error::custom("nobody gets as far as this"))
    }
}

#[test]
fn a_value_for_which_there_is_no_memory_fails_its_own_call() {
    let starved = |method| {
        // Room for one of these values, and not for its bytes beside it.
        leave_memory(5 << 30);
        let pool = start_pool(method, 1);
        let sent = pool.apply(|zeroes: Zeroes| zeroes.0.len(), Zeroes::new(0)).unwrap_err();
        assert!(matches!(sent, Error::Serialise { value: Value::Argument, .. }), "{sent}");
        let why = std::error::Error::source(&sent).unwrap().to_string();
        assert!(why.ends_with("there is not enough memory"), "{why}");
        let returned = pool.map_each(Zeroes::new, [0, 1]).unwrap();
        for result in returned {
            assert!(matches!(result, Err(Error::Serialise { value: Value::Result, .. })));
        }
        assert_eq!(pool.apply(square, 3).unwrap(), 9);
    };
    alone(starved);
}

#[test]
fn a_result_that_its_receiver_has_no_memory_for_costs_nothing_else() {
    let starved = |method| {
        let pool = start_pool(method, 1);
        let long = |length: usize| "x".repeat(length);
        assert_eq!(pool.apply(long, 1 << 20).unwrap().len(), 1 << 20);
        leave_memory(32 << 20);
        let lost = pool.apply(long, 128 << 20);
        let is_told = matches!(lost, Err(Error::Deserialise { value: Value::Result, .. }));
        assert!(is_told, "{:?}", lost.map(|text| text.len()));
        assert_eq!(pool.apply(long, 1 << 10).unwrap().len(), 1 << 10);
    };
    alone(starved);
}

/// An argument that no worker has the memory for must not take one worker after the other.
#[test]
fn an_argument_that_its_receiver_has_no_memory_for_fails_its_own_call() {
    by_each_method(|method| {
        let starve = |()| leave_memory(16 << 20);
        let pool = Pool::builder().start_method(method).processes(1).initializer(starve, ()).build().unwrap();
        let error = pool.apply(|text: String| text.len(), "x".repeat(96 << 20)).unwrap_err();
        assert!(matches!(error, Error::Deserialise { value: Value::Argument, .. }), "{error}");
        assert_eq!(pool.map(square, 0..10).unwrap(), (0..10).map(square).collect::<Vec<_>>());
    });
}

/// Memory that has a descriptor is a file to the kernel, which ends whoever goes beyond that limit by a signal.
#[test]
fn the_limit_on_the_size_of_files_ends_nobody() {
    let starved = |method| {
        let long = |length: usize| "x".repeat(length);
        let length = |text: String| text.len();
        let pool = start_pool(method, 1);
        let start = |length| Builder::new().start_method(method).spawn(|text: String| text, long(length));
        // Long values go another way where there is no memory for them.
        pool.apply(|()| limit(Resource::Fsize, 64 << 10), ()).unwrap();
        assert_eq!(pool.apply(long, 4 << 20).unwrap().len(), 4 << 20);
        assert!(matches!(pool.apply(|()| SharedBytesMut::zeroed(1 << 20).is_err(), ()), Ok(true)));
        limit(Resource::Fsize, 64 << 10);
        assert_eq!(pool.apply(length, long(4 << 20)).unwrap(), 4 << 20);
        assert_eq!(SharedBytesMut::zeroed(1 << 20).unwrap_err().raw_os_error(), Some(27));
        let refused = Pool::builder().start_method(method).processes(1).build();
        assert!(matches!(refused, Err(Error::Start { .. })), "{refused:?}");
        assert_eq!(start(60 << 10).unwrap().join().unwrap().len(), 60 << 10);
        assert!(matches!(start(70 << 10), Err(Error::Start { .. })));
        assert_eq!(pool.apply(square, 3).unwrap(), 9);
    };
    alone(starved);
}

/// Timers count as signals that are on their way.
#[test]
fn a_worker_that_gets_no_timer_fails_its_own_call() {
    by_each_method(|method| {
        let starve = |()| limit(Resource::Sigpending, 0);
        let pool = Pool::builder().start_method(method).processes(1).initializer(starve, ()).build().unwrap();
        let error = pool.timeout(FOREVER).apply(square, 3).unwrap_err();
        assert!(matches!(error, Error::Died { .. }), "{error}");
        assert_eq!(pool.apply(square, 3).unwrap(), 9);
    });
}

#[test]
fn a_pool_that_gets_no_descriptors_is_an_error_and_leaves_none() {
    let starved = |method| {
        start_pool(method, 2).join();
        let most = getrlimit(Resource::Nofile).current.unwrap();
        let before = descriptors().len();
        let mut failed = 0;
        for spare in 0..20 {
            limit(Resource::Nofile, (before + spare) as u64);
            let builder = Pool::builder().start_method(method).processes(2);
            match builder.build().and_then(|pool| pool.map(square, 0..10)) {
                Ok(squares) => assert_eq!(squares, (0..10).map(square).collect::<Vec<_>>()),
                Err(Error::Start { .. }) => failed += 1,
                Err(other) => panic!("{other}"),
            }
            limit(Resource::Nofile, most);
            // A fork server makes no spares when there is no room for them.
            assert!(descriptors().len() <= before, "with {spare} to spare");
        }
        start_pool(method, 2).join();
        assert_eq!(descriptors().len(), before);
        assert!(failed > 0 && failed < 20, "{failed}");
    };
    alone(starved);
}

#[test]
fn a_worker_that_cannot_be_replaced_for_want_of_descriptors_is_an_error() {
    let starved = |method| {
        let pool = start_pool(method, 1);
        let worker = Watched::new(pool.apply(|()| std::process::id(), ()).unwrap());
        limit(Resource::Nofile, 3);
        worker.kill();
        assert!(worker.ends());
        assert!(matches!(pool.apply(square, 1), Err(Error::Start { .. })));
    };
    alone(starved);
}

#[test]
fn a_worker_that_reaches_its_own_limits_costs_only_its_call() {
    by_each_method(|method| {
        let pool = start_pool(method, 1);
        let greedy = |number: u64| {
            if number != 1 {
                return square(number);
            }
            limit(Resource::Nofile, 3);
            assert!(std::fs::File::open("/dev/null").is_err());
            let pool = Pool::new(1);
            assert!(matches!(pool, Err(Error::Start { .. })), "{pool:?}");
            wait_for_death()
        };
        let late =
            pool.chunks_of(1).timeout(std::time::Duration::from_secs(2)).map_each(greedy, 0..4).unwrap();
        assert!(matches!(late[1], Err(Error::TimedOut { .. })), "{:?}", late[1]);
        assert!(matches!((&late[0], &late[2], &late[3]), (Ok(0), Ok(4), Ok(9))));
    });
}

/// A launcher may open descriptors and lower the limit then.
#[test]
fn a_descriptor_beyond_the_limit_hinders_no_start_and_is_not_the_fork_servers() {
    alone(|method| {
        let null = std::fs::File::open("/dev/null").unwrap();
        let beyond = rustix::io::fcntl_dupfd_cloexec(&null, 200).unwrap();
        rustix::io::fcntl_setfd(&beyond, rustix::io::FdFlags::empty()).unwrap();
        limit(Resource::Nofile, 100);
        let is_open = |number: i32| std::fs::exists(format!("/proc/self/fd/{number}")).unwrap();
        let inherits = start(method, is_open, beyond.as_raw_fd()).join().unwrap();
        assert_eq!(inherits, method == StartMethod::Spawn);
    });
}
