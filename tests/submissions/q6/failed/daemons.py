import time
from multiprocessing import Process


def print_number(number):
    time.sleep(0.2)
    print(f"Process {number}: {number}")


if __name__ == "__main__":
    for number in range(1, 5):
        Process(target=print_number, args=(number,), daemon=True).start()
