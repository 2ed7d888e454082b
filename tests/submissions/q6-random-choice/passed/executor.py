import random
from concurrent.futures import ProcessPoolExecutor


def choose(_task):
    return random.choice(range(50))


if __name__ == "__main__":
    with ProcessPoolExecutor(4) as executor:
        print(list(executor.map(choose, range(50))))
