from multiprocessing import Barrier, Process


def print_number(number, barrier):
    barrier.wait()
    print(f"Process {number}: {number}")


if __name__ == "__main__":
    barrier = Barrier(5)
    children = [Process(target=print_number, args=(number, barrier)) for number in range(1, 5)]
    for child in children:
        child.start()
    for child in children:
        child.join()
