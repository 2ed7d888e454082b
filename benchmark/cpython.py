"""CPython's multiprocessing, measured: prints one number for the measurement that is named.

The measurements are those of src/peers/, with the same counts.
"""

import os
import statistics
import sys
import time
from multiprocessing import get_context, resource_tracker, shared_memory

FORK = get_context("fork")
WORKERS = len(os.sched_getaffinity(0))
ITEMS = 1_000_000
LARGE_COUNT = 8
LARGE_BYTES = 64 << 20


def square(x):
    return x * x


def same(value):
    return value


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def micros(times, action):
    for _ in range(times // 10):
        action()
    return 1e6 * statistics.median(seconds(action) for _ in range(times))


def rate(count, times, action):
    action()
    return count / statistics.median(seconds(action) for _ in range(times))


def warm_pool(workers=WORKERS):
    pool = FORK.Pool(workers)
    pool.map(square, range(1000))
    return pool


def start(context=FORK, times=200):
    def round():
        process = context.Process(target=square, args=(3,))
        process.start()
        process.join()

    return micros(times, round)


def start_by_server():
    return start(get_context("forkserver"), 10)


def start_from_large_parent():
    memory = bytearray(b"\1") * (1 << 30)
    result = start(times=10)
    del memory
    return result


def pool_start():
    def round():
        pool = FORK.Pool(4)
        assert pool.apply(square, (3,)) == 9
        pool.close()
        pool.join()

    return micros(20, round) / 1e3


def map_default():
    with warm_pool() as pool:
        return rate(ITEMS, 3, lambda: pool.map(square, range(ITEMS)))


def map_single():
    with warm_pool() as pool:
        return rate(20_000, 3, lambda: pool.map(square, range(20_000), chunksize=1))


def apply():
    with warm_pool() as pool:
        return micros(2000, lambda: pool.apply(square, (3,)))


def large():
    payload = b"\7" * LARGE_BYTES
    megabytes = 2 * LARGE_COUNT * LARGE_BYTES / 1e6

    def round():
        results = pool.imap(same, (payload for _ in range(LARGE_COUNT)))
        assert sum(map(len, results)) == LARGE_COUNT * LARGE_BYTES

    with warm_pool() as pool:
        return megabytes / seconds(round)


def copy_shared(names):
    source, target = (shared_memory.SharedMemory(name=name) for name in names)
    value = bytes(source.buf)
    target.buf[:] = value
    source.close()
    target.close()


def large_shared_memory():
    payload = b"\7" * LARGE_BYTES
    megabytes = 2 * LARGE_COUNT * LARGE_BYTES / 1e6

    def round():
        blocks = []
        for _ in range(LARGE_COUNT):
            pair = [shared_memory.SharedMemory(create=True, size=LARGE_BYTES) for _ in range(2)]
            pair[0].buf[:] = payload
            blocks.append((pair, pool.apply_async(copy_shared, ([block.name for block in pair],))))
        for pair, call in blocks:
            call.get()
            assert len(bytes(pair[1].buf)) == LARGE_BYTES
            for block in pair:
                block.close()
                block.unlink()

    # Workers that begin a tracker of their own would complain about each other's blocks.
    resource_tracker.ensure_running()
    with warm_pool() as pool:
        return megabytes / seconds(round)


def idle_memory():
    def proportional(pid):
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))

    with warm_pool(4) as pool:
        pids = set()
        while len(pids) < 4:
            pids.update(pool.map(pid_of_worker, range(8), chunksize=1))
        return statistics.mean(map(proportional, pids))


def pid_of_worker(_):
    time.sleep(0.01)
    return os.getpid()


MEASUREMENTS = {
    "start": start,
    "start-by-server": start_by_server,
    "start-from-large-parent": start_from_large_parent,
    "pool-start": pool_start,
    "map": map_default,
    "map-single": map_single,
    "apply": apply,
    "large": large,
    "large-shared-memory": large_shared_memory,
    "idle-memory": idle_memory,
}

if __name__ == "__main__":
    print(MEASUREMENTS[sys.argv[1]]())
