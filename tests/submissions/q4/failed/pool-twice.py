import os
import time
from multiprocessing import Pool


def task(_number):
    return os.getpid()


def run():
    begin = time.perf_counter()
    with Pool(4) as pool:
        ids = set(pool.map(task, range(100)))
    return len(ids), time.perf_counter() - begin


if __name__ == "__main__":
    processes, pool_time = run()
    print(f"Pool of 4 workers: 100 tasks in {processes} processes")
    _, each_time = run()
    print("One process per task: 100 tasks in 100 processes")
    print(f"The pool was {each_time / pool_time:.2f} times faster")
