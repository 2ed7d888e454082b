import multiprocessing
import os
import threading
import time

counter = 0


def add_one():
    global counter
    counter += 1


def run(kind, target, times=1):
    """Starts so many, waits for all, and returns the microseconds that it took."""
    begin = time.perf_counter()
    started = [kind(target=target) for _ in range(times)]
    for one in started:
        one.start()
    for one in started:
        one.join()
    return (time.perf_counter() - begin) * 1e6


def fail():
    os._exit(1)


if __name__ == "__main__":
    thread = run(threading.Thread, add_one, 4) / 4
    print("Threads share memory: the counter is", counter)
    counter = 0
    process = run(multiprocessing.Process, add_one, 4) / 4
    print("Processes do not: the counter is", counter)
    run(multiprocessing.Process, fail)
    print("A child that aborts leaves its parent running")
    print(f"Starting a thread took {thread:.1f} µs, a process {process:.1f} µs")
