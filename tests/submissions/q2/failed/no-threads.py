import os
import threading
import time

counter = 0


def add_one():
    global counter
    counter += 1


def child(work):
    """Forks a child that does the work, and returns its id."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid


def microseconds(start_and_wait):
    begin = time.perf_counter()
    start_and_wait()
    return (time.perf_counter() - begin) * 1e6


def thread():
    t = threading.Thread(target=lambda: None)
    t.start()
    t.join()


for _ in range(4):
    add_one()
print("Threads share memory: the counter is", counter, flush=True)

counter = 0
for pid in [child(add_one) for _ in range(4)]:
    os.waitpid(pid, 0)
print("Processes do not: the counter is", counter, flush=True)

os.waitpid(child(os.abort), 0)
print("A child that aborts leaves its parent running", flush=True)

took = microseconds(thread), microseconds(lambda: os.waitpid(child(lambda: None), 0))
print(f"Starting a thread took {took[0]:.0f} µs, a process {took[1]:.0f} µs")
