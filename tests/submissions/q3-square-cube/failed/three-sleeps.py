import time
from multiprocessing import Process


def print_power(name, exponent):
    print(f"{name}: {10**exponent}")


if __name__ == "__main__":
    Process(target=print_power, args=("Square", 2)).start()
    Process(target=print_power, args=("Cube", 3)).start()
    for _ in range(3):
        time.sleep(0.05)
    print("Done!", flush=True)
