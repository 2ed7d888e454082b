import time
from multiprocessing import Process


def print_square(n):
    print("Square:", n * n)


def print_cube(n):
    time.sleep(0.2)
    print("Cube:", n * n * n)


if __name__ == "__main__":
    square = Process(target=print_square, args=(10,))
    cube = Process(target=print_cube, args=(10,))
    square.start()
    cube.start()
    square.join()
    print("Done!", flush=True)
