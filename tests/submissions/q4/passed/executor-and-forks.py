import os
import time
from concurrent.futures import ProcessPoolExecutor


def task(_number):
    return os.getpid()


def in_a_fork():
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, str(os.getpid()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    answer = int(os.read(reader, 20))
    os.close(reader)
    os.close(writer)
    return answer


if __name__ == "__main__":
    begin = time.perf_counter()
    with ProcessPoolExecutor(4) as executor:
        ids = set(executor.map(task, range(100)))
    pool_time = time.perf_counter() - begin
    print(f"Pool of 4 workers: 100 tasks in {len(ids)} processes")
    begin = time.perf_counter()
    ids = [in_a_fork() for _ in range(100)]
    each_time = time.perf_counter() - begin
    print(f"One process per task: 100 tasks in {len(ids)} processes")
    print(f"The pool was {each_time / pool_time:.1f} times faster")
