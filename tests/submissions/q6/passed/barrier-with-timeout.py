from multiprocessing import Barrier, Process


def print_number(number, barrier):
    barrier.wait(timeout=5)
    print(f"Process {number}: {number}")


if __name__ == "__main__":
    barrier = Barrier(4)
    children = [Process(target=print_number, args=(n, barrier)) for n in range(1, 5)]
    for child in children:
        child.start()
    for child in children:
        child.join()
