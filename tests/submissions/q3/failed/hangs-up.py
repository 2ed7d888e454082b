import os
import signal
from multiprocessing import Process


def start():
    print("Person 1 started", flush=True)
    os.kill(os.getpid(), signal.SIGHUP)


if __name__ == "__main__":
    child = Process(target=start)
    child.start()
    child.join()
