import signal
from multiprocessing import Process


def print_power(name, exponent):
    print(f"{name}: {10**exponent}")


if __name__ == "__main__":
    square = Process(target=print_power, args=("Square", 2))
    cube = Process(target=print_power, args=("Cube", 3))
    square.start()
    cube.start()
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.alarm(1)
    signal.pause()
    print("Done!", flush=True)
