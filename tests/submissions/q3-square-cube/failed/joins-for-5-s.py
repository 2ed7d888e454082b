import os
from multiprocessing import Process


def print_power(name, exponent):
    print(f"{name}: {10**exponent}")


if __name__ == "__main__":
    square = Process(target=print_power, args=("Square", 2))
    cube = Process(target=print_power, args=("Cube", 3))
    square.start()
    cube.start()
    square.join(timeout=5)
    cube.join(timeout=5)
    if os.getenv("VERBOSE"):
        print(square.exitcode, cube.exitcode)
    print("Done!", flush=True)
