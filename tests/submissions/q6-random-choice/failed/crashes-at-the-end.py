import os
import random
from multiprocessing import Pool, Process


def choose(_task):
    return random.randrange(50)


if __name__ == "__main__":
    with Pool(4) as pool:
        print(pool.map(choose, range(50)))
    child = Process(target=os.abort)
    child.start()
    child.join()
