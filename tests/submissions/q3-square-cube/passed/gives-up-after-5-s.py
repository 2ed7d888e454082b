import sys
from multiprocessing import Process


def print_power(name, exponent):
    print(f"{name}: {10**exponent}")


if __name__ == "__main__":
    square = Process(target=print_power, args=("Square", 2))
    cube = Process(target=print_power, args=("Cube", 3))
    square.start()
    cube.start()
    for child in (square, cube):
        child.join(timeout=5)
        if child.exitcode is None:
            child.terminate()
            sys.exit("a child takes too long")
    print("Done!", flush=True)
