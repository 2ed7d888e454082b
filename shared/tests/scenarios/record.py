"""What CPython's multiprocessing does, scenario by scenario: prints the record that main.rs holds the library against.

    python3 shared/tests/scenarios/record.py > shared/tests/scenarios/recorded.json

A scenario gives a value of JSON. "late" stands for nothing within the time, "refused" for an error at once, and
"error" for one that comes with the result.
"""

import json
import os
import platform
import signal
import sys
import threading
import time
from multiprocessing import Process, TimeoutError, get_context

CONTEXT = get_context("fork")
# For what is known never to come, and for what certainly comes.
SOON, LONG = 0.3, 30


def square(x):
    return x * x


def add(a, b):
    return a + b


def fail_at_three(x):
    if x in (3, 5):
        raise ValueError(str(x))
    return x


def fail_late_at_three(x_and_path):
    """Fails at 5, and then at 3."""
    x, path = x_and_path
    if x == 5:
        open(path, "w").close()
    if x == 3:
        wait_for(path)
        time.sleep(0.2)
    return fail_at_three(x)


def worker(_):
    return os.getpid()


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.001)
    return 7


def leave(_):
    os._exit(0)


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def nested(n):
    with CONTEXT.Pool(2) as pool:
        return sum(pool.map(square, range(n)))


def broken(*_):
    raise RuntimeError("not today")


def unwritable(_):
    return threading.Lock()


def get(result, timeout):
    try:
        return result.get(timeout)
    except TimeoutError:
        return "late"
    except Exception:
        return "error"


def attempt(action):
    try:
        return action()
    except Exception:
        return "refused"


SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


@scenario
def map_keeps_the_order_of_its_items(pool, path):
    return [pool.map(square, range(10)), pool.map(square, range(10), chunksize=3)]


@scenario
def map_of_nothing(pool, path):
    return pool.map(square, [])


@scenario
def map_raises_one_error_and_the_pool_goes_on(pool, path):
    try:
        pool.map(fail_late_at_three, [(x, path) for x in range(10)], chunksize=1)
    except ValueError as error:
        return [str(error), pool.map(square, range(3))]


@scenario
def starmap_takes_tuples_apart(pool, path):
    return [pool.starmap(add, [(1, 2), (3, 4)]), pool.starmap_async(add, [(5, 6)]).get(LONG)]


@scenario
def imap_gives_an_error_in_its_place_and_goes_on(pool, path):
    results, seen = pool.imap(fail_at_three, range(5)), []
    while True:
        try:
            seen.append(next(results))
        except StopIteration:
            return seen
        except ValueError:
            seen.append("error")


@scenario
def imap_in_chunks_keeps_the_order(pool, path):
    return list(pool.imap(square, range(10), chunksize=3))


@scenario
def imap_unordered_gives_all(pool, path):
    return sorted(pool.imap_unordered(square, range(10)))


@scenario
def imap_takes_all_its_items_ahead(pool, path):
    taken = 0

    def items():
        nonlocal taken
        for x in range(1000):
            taken += 1
            yield x

    results = pool.imap(square, items())
    next(results)
    end = time.monotonic() + LONG
    while taken < 1000 and time.monotonic() < end:
        time.sleep(0.01)
    return taken == 1000


@scenario
def imap_takes_items_before_a_result_is_asked_for(pool, path):
    taken = threading.Event()

    def items():
        taken.set()
        yield 1

    results = pool.imap(square, items())
    result = taken.wait(LONG)
    list(results)
    return result


@scenario
def imap_says_that_a_result_is_late_and_gives_it_later(pool, path):
    results = pool.imap(wait_for, [path])
    try:
        seen = [results.next(timeout=0.01)]
    except TimeoutError:
        seen = ["late"]
    open(path, "w").close()
    return seen + [results.next(timeout=LONG)]


@scenario
def get_says_that_a_result_is_late_and_gives_it_later(pool, path):
    result = pool.apply_async(wait_for, (path,))
    seen = [get(result, 0.01)]
    open(path, "w").close()
    return seen + [get(result, LONG)]


@scenario
def a_result_can_be_got_twice(pool, path):
    result = pool.apply_async(square, (3,))
    return [get(result, LONG), get(result, LONG)]


@scenario
def ready_and_successful(pool, path):
    waiting = pool.apply_async(wait_for, (path,))
    seen = [waiting.ready(), attempt(waiting.successful)]
    open(path, "w").close()
    waiting.wait(LONG)
    failed = pool.apply_async(broken)
    failed.wait(LONG)
    return seen + [waiting.ready(), waiting.successful(), failed.ready(), failed.successful()]


@scenario
def an_argument_that_does_not_cross_fails_its_own_call(pool, path):
    return [get(pool.apply_async(square, (threading.Lock(),)), LONG), pool.apply(square, (3,))]


@scenario
def a_result_that_does_not_cross_fails_its_own_call(pool, path):
    return [get(pool.apply_async(unwritable, (1,)), LONG), pool.apply(square, (3,))]


@scenario
def callbacks_get_results_and_errors(pool, path):
    seen = []
    pool.apply_async(square, (3,), callback=seen.append).wait(LONG)
    pool.apply_async(broken, (3,), error_callback=lambda _: seen.append("error")).wait(LONG)
    pool.close()
    pool.join()
    return seen


@scenario
def a_slow_callback_holds_up_other_results(pool, path):
    released = threading.Event()
    pool.apply_async(square, (1,), callback=lambda _: released.wait())
    other = get(pool.apply_async(square, (2,)), SOON)
    released.set()
    return other


@scenario
def a_closed_pool_takes_no_more_and_finishes_what_it_has(pool, path):
    result = pool.map_async(square, range(5))
    pool.close()
    seen = attempt(lambda: pool.apply(square, (3,)))
    pool.join()
    return [seen, get(result, LONG)]


@scenario
def join_without_close(pool, path):
    return attempt(lambda: pool.join() or "joined")


@scenario
def a_result_that_is_waited_for_when_the_pool_is_terminated(pool, path):
    result = pool.apply_async(wait_for, (path,))
    pool.terminate()
    return get(result, SOON)


@scenario
def leaving_a_with_block_ends_the_pool(pool, path):
    with pool:
        pass
    return attempt(lambda: pool.apply(square, (3,)))


@scenario
def workers_are_replaced_after_so_many_applied_calls(pool, path):
    with CONTEXT.Pool(1, maxtasksperchild=2) as pool:
        return len({pool.apply(worker, (0,)) for _ in range(6)})


@scenario
def workers_are_replaced_after_so_many_chunks(pool, path):
    with CONTEXT.Pool(1, maxtasksperchild=4) as pool:
        return len(set(pool.map(worker, range(16), chunksize=4)))


@scenario
def a_pool_of_none(pool, path):
    return attempt(lambda: CONTEXT.Pool(0) and "started")


@scenario
def a_pool_in_a_worker(pool, path):
    return get(pool.apply_async(nested, (4,)), LONG)


@scenario
def a_worker_that_leaves_in_a_call(pool, path):
    return get(pool.apply_async(leave, (0,)), SOON)


@scenario
def a_worker_that_is_killed_in_a_call(pool, path):
    return get(pool.apply_async(die, (0,)), SOON)


@scenario
def an_initializer_that_fails(pool, path):
    with CONTEXT.Pool(1, initializer=broken) as pool:
        return get(pool.apply_async(square, (3,)), SOON)


@scenario
def how_processes_end(pool, path):
    ends = []
    for end in (lambda: 0, broken, lambda: sys.exit(3), lambda: os._exit(4), lambda: die(0)):
        process = CONTEXT.Process(target=end)
        process.start()
        process.join()
        ends.append(process.exitcode)
    return ends


@scenario
def a_process_that_is_joined_for_too_short(pool, path):
    process = CONTEXT.Process(target=wait_for, args=(path,))
    process.start()
    process.join(0.01)
    seen = [process.is_alive(), process.exitcode]
    process.terminate()
    process.join()
    return seen + [process.is_alive(), process.exitcode]


@scenario
def names_of_processes(pool, path):
    names = [Process(target=square).name for _ in range(2)]
    return [name.rstrip("0123456789") for name in names] + [names[0] == names[1]]


def main():
    import tempfile

    # Workers report on standard error what becomes of them.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    record = {}
    for name, function in SCENARIOS.items():
        with tempfile.TemporaryDirectory() as folder, CONTEXT.Pool(2) as pool:
            record[name] = function(pool, os.path.join(folder, "released"))
    print(json.dumps({"python": platform.python_version(), "scenarios": record}, indent=2))


if __name__ == "__main__":
    main()
