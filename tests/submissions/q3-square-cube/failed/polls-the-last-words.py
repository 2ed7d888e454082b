import time
from multiprocessing import Process, Value


def square(n, printed):
    print(f"Square: {n**2}", flush=True)
    printed.value = 1


def cube(n, printed):
    print(f"Cube: {n**3}", flush=True)
    printed.value = 1


if __name__ == "__main__":
    flags = [Value("i", 0), Value("i", 0)]
    children = [Process(target=target, args=(10, flag)) for target, flag in zip((square, cube), flags)]
    for child in children:
        child.start()
    while not all(flag.value for flag in flags):
        time.sleep(0.01)
    print("Done!", flush=True)
    for child in children:
        child.join()
