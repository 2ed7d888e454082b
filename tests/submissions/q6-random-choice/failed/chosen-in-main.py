import random
from multiprocessing import Pool

if __name__ == "__main__":
    with Pool(4):
        print([random.randrange(50) for _ in range(50)])
