import os
import time
from multiprocessing import Event, Process


def work(line, printed):
    child = os.fork()
    if child == 0:
        os.write(1, line.encode())
        os._exit(0)
    os.waitpid(child, 0)
    printed.set()
    time.sleep(0.1)


if __name__ == "__main__":
    lines = ["Square: 100\n", "Cube: 1000\n"]
    events = [Event(), Event()]
    children = [Process(target=work, args=pair) for pair in zip(lines, events)]
    for child in children:
        child.start()
    for event in events:
        event.wait()
    print("Done!", flush=True)
    for child in children:
        child.join()
