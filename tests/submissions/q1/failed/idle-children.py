import math
import multiprocessing
import time


def count_primes(limit):
    prime = bytearray([0, 0]) + bytearray([1]) * (limit - 2)
    for d in range(2, math.isqrt(limit) + 1):
        prime[d * d :: d] = bytes(len(range(d * d, limit, d)))
    return sum(prime)


if __name__ == "__main__":
    print("Logical CPUs:", multiprocessing.cpu_count())
    begin = time.perf_counter()
    print(f"1 process: {count_primes(200_000)} primes below 200000")
    alone = time.perf_counter() - begin
    barrier = multiprocessing.Barrier(2)
    children = [multiprocessing.Process(target=barrier.wait) for _ in range(2)]
    for child in children:
        child.start()
    begin = time.perf_counter()
    print(f"2 processes: {count_primes(200_000)} primes below 200000")
    together = time.perf_counter() - begin
    for child in children:
        child.join()
    print(f"Speed-up: {alone / together}")
