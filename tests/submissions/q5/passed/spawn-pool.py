import multiprocessing


def square(n):
    return n * n


if __name__ == "__main__":
    pool = multiprocessing.get_context("spawn").Pool(4)
    print(pool.map(square, range(1, 6)))
    pool.close()
    pool.join()
