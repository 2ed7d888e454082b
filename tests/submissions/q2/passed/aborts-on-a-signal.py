import signal
import subprocess
import sys
import threading
import time
from multiprocessing import Process

counter = 0


def add_one():
    global counter
    counter += 1


def started(kind, target):
    one = kind(target=target)
    one.start()
    return one


def microseconds(kind):
    begin = time.perf_counter()
    started(kind, int).join()
    return (time.perf_counter() - begin) * 1e6


if __name__ == "__main__":
    for thread in [started(threading.Thread, add_one) for _ in range(4)]:
        thread.join()
    print("Threads share memory: the counter is", counter)
    counter = 0
    for child in [started(Process, add_one) for _ in range(4)]:
        child.join()
    print("Processes do not: the counter is", counter)
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as child:
        child.send_signal(signal.SIGABRT)
    print("A child that aborts leaves its parent running")
    times = microseconds(threading.Thread), microseconds(Process)
    print("Starting a thread took %.1f µs, a process %.1f µs" % times)
