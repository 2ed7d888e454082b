from multiprocessing import Pool


def same(n):
    return n


if __name__ == "__main__":
    with Pool(4) as pool:
        print([n * n for n in pool.map(same, range(1, 6))])
