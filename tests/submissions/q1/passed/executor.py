import math
import os
import time
from concurrent.futures import ProcessPoolExecutor

LIMIT = 200_000
PART = 10_000


def count_primes(first):
    """Counts the primes of one part with a sieve."""
    prime = bytearray([1]) * PART
    if first == 0:
        prime[0:2] = b"\0\0"
    for d in range(2, math.isqrt(first + PART) + 1):
        start = max(d * d, -(-first // d) * d) - first
        prime[start::d] = bytes(len(range(start, PART, d)))
    return sum(prime)


if __name__ == "__main__":
    cpus = os.cpu_count()
    parts = range(0, LIMIT, PART)
    print("Logical CPUs:", cpus)

    begin = time.perf_counter()
    primes = sum(map(count_primes, parts))
    alone = time.perf_counter() - begin
    print(f"1 process: {primes} primes below {LIMIT}")

    processes = max(cpus, 2)
    begin = time.perf_counter()
    with ProcessPoolExecutor(processes) as executor:
        primes = sum(executor.map(count_primes, parts))
    together = time.perf_counter() - begin
    print(f"{processes} processes: {primes} primes below {LIMIT}")
    print(f"Speed-up: {alone / together:.3f}")
