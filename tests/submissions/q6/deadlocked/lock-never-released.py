import os
from multiprocessing import Lock, Process


def print_number(number, lock):
    lock.acquire()
    print(f"Process {number}: {number}", flush=True)
    os._exit(0)


if __name__ == "__main__":
    lock = Lock()
    children = [Process(target=print_number, args=(n, lock)) for n in range(1, 5)]
    for child in children:
        child.start()
    for child in children:
        child.join()
