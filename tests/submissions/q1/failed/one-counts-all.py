import multiprocessing
import time


def count_primes(numbers):
    return sum(n > 1 and all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(*numbers))


if __name__ == "__main__":
    print("Logical CPUs:", multiprocessing.cpu_count(), flush=True)
    begin = time.perf_counter()
    print(f"1 process: {count_primes((0, 200_000))} primes below 200000", flush=True)
    alone = time.perf_counter() - begin
    with multiprocessing.Pool(2) as pool:
        begin = time.perf_counter()
        counts = pool.map(count_primes, [(0, 200_000), (0, 0)], 1)
        print(f"2 processes: {sum(counts)} primes below 200000", flush=True)
        together = time.perf_counter() - begin
        pool.close()
        pool.join()
    print(f"Speed-up: {alone / together}", flush=True)
