import os
import time
from multiprocessing import Pool, Process


def nothing():
    pass


def task(_):
    return os.getpid()


if __name__ == "__main__":
    start = time.perf_counter()
    for _ in range(100):
        child = Process(target=nothing)
        child.start()
        child.join()
    process_time = time.perf_counter() - start

    start = time.perf_counter()
    with Pool(4) as pool:
        ids = set(pool.map(task, range(100), 1))
        pool.close()
        pool.join()
    pool_time = time.perf_counter() - start
    print(f"Pool of 4 workers: 100 tasks in {len(ids)} processes")
    print("One process per task: 100 tasks in 100 processes")
    print(f"The pool was {process_time / pool_time:.1f} times faster")
