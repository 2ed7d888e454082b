import random
from multiprocessing import Pool


def choose(_task):
    return random.randint(0, 49)


if __name__ == "__main__":
    with Pool(4, initializer=random.seed) as pool:
        print(pool.map(choose, range(50), chunksize=5))
