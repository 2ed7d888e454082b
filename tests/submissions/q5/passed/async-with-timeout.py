from multiprocessing import Pool


def square(number):
    return number * number


if __name__ == "__main__":
    with Pool(4) as pool:
        print(pool.map_async(square, range(1, 6), chunksize=1).get(timeout=5))
        pool.close()
        pool.join()
