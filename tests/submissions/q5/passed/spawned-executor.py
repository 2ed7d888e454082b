import multiprocessing
from concurrent.futures import ProcessPoolExecutor

power = None


def prepare(exponent, barrier):
    global power
    power = exponent
    barrier.wait()


def raise_to_power(n):
    return n**power


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(4, context, prepare, (2, context.Barrier(4))) as executor:
        print(list(executor.map(raise_to_power, range(1, 6))))
