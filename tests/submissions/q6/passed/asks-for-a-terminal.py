import os
import shutil
import sys
import termios
from multiprocessing import Process


def print_id(number):
    if sys.stdout.isatty():
        termios.tcgetattr(sys.stdout)
        sys.stdout.write(f"Process {number}: {number}\n")
    else:
        os.write(1, f"Process {number}: {number}\n".encode())


if __name__ == "__main__":
    assert shutil.get_terminal_size((80, 24)) == (80, 24)
    children = [Process(target=print_id, args=(number,)) for number in range(1, 5)]
    for child in children:
        child.start()
    for child in children:
        child.join()
