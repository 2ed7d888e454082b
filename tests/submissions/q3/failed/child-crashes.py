import os
import signal
from multiprocessing import Process


def start(person):
    print(f"Person {person} started", flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)


if __name__ == "__main__":
    child = Process(target=start, args=(1,))
    child.start()
    child.join()
