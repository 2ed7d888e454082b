import threading
import time
from multiprocessing.pool import ThreadPool


def task(_number):
    return threading.get_ident()


begin = time.perf_counter()
with ThreadPool(4) as pool:
    ids = set(pool.map(task, range(100)))
pool_time = time.perf_counter() - begin
print(f"Pool of 4 workers: 100 tasks in {len(ids)} processes")
begin = time.perf_counter()
done = []
threads = [threading.Thread(target=done.append, args=(n,)) for n in range(100)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
each_time = time.perf_counter() - begin
print(f"One process per task: 100 tasks in {len(done)} processes")
print(f"The pool was {each_time / pool_time} times faster")
