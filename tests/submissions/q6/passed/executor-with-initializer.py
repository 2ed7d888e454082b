import multiprocessing
from concurrent.futures import ProcessPoolExecutor

context = multiprocessing.get_context("fork")
numbers = context.SimpleQueue()
all_there = context.Barrier(4)


def print_number():
    number = numbers.get()
    print(f"Process {number}: {number}", flush=True)


def wait_for_all(_task):
    all_there.wait()


if __name__ == "__main__":
    for number in range(1, 5):
        numbers.put(number)
    with ProcessPoolExecutor(4, mp_context=context, initializer=print_number) as executor:
        list(executor.map(wait_for_all, range(4)))
