import os
from multiprocessing import Process


def print_number(number):
    print(f"Process {number}: {number}")


if __name__ == "__main__":
    children = [Process(target=print_number, args=(n,)) for n in range(1, 5)]
    for child in children:
        child.start()
    for child in children:
        child.join(timeout=2)
    os._exit(0)
