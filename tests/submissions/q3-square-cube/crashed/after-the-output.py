import os
from multiprocessing import Process


def print_power(name, exponent):
    print(f"{name}: {10**exponent}")


if __name__ == "__main__":
    powers = (("Square", 2), ("Cube", 3))
    children = [Process(target=print_power, args=power) for power in powers]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print("Done!", flush=True)
    os.abort()
