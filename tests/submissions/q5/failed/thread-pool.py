from multiprocessing.pool import ThreadPool

with ThreadPool(4) as pool:
    print(pool.map(lambda n: n * n, range(1, 6)))
