import os
import time
from multiprocessing import Pool


def task(_number):
    return os.getpid()


def run(max_tasks):
    """Does the tasks in a pool; returns how many processes took part, and the seconds."""
    begin = time.perf_counter()
    with Pool(4, maxtasksperchild=max_tasks) as pool:
        ids = set(pool.map(task, range(100), chunksize=1))
    return len(ids), time.perf_counter() - begin


if __name__ == "__main__":
    processes, pool_time = run(None)
    print(f"Pool of 4 workers: 100 tasks in {processes} processes")
    processes, each_time = run(1)
    print(f"One process per task: 100 tasks in {processes} processes")
    print(f"The pool was {each_time / pool_time} times faster")
