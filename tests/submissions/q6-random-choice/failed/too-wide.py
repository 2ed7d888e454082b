import random
from multiprocessing import Pool


def choose(_task):
    return random.randrange(100)


if __name__ == "__main__":
    with Pool(4) as pool:
        print(pool.map(choose, range(50)))
