from multiprocessing import Barrier, Process


def print_number(number, barrier):
    barrier.wait()
    print(f"Process {number}", end=": ", flush=True)
    print(number, flush=True)


if __name__ == "__main__":
    barrier = Barrier(4)
    children = [Process(target=print_number, args=(n, barrier)) for n in range(1, 5)]
    for child in children:
        child.start()
    for child in children:
        child.join()
