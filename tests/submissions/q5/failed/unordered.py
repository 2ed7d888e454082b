from multiprocessing import Pool


def square(n):
    return n * n


if __name__ == "__main__":
    with Pool(4) as pool:
        print(list(pool.imap_unordered(square, range(1, 6))))
