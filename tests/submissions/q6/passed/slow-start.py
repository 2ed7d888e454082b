import time
from multiprocessing import Process


def print_number(number):
    time.sleep(number / 50)
    print(f"Process {number}: {number}")


if __name__ == "__main__":
    children = [Process(target=print_number, args=(n,)) for n in range(1, 5)]
    for child in children:
        child.start()
    time.sleep(0.05)
    for child in children:
        child.join()
