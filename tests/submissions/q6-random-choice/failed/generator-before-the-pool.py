import random
from multiprocessing import Pool

generator = random.Random()


def choose(_):
    return generator.randint(0, 49)


if __name__ == "__main__":
    with Pool(4) as pool:
        print(pool.map(choose, range(50)))
