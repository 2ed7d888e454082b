import multiprocessing
import random

context = multiprocessing.get_context("fork")
all_there = context.Barrier(4)


def choose(count):
    # Each worker takes one part of the tasks, and none takes two.
    all_there.wait()
    return [random.randrange(50) for _ in range(count)]


if __name__ == "__main__":
    seed = random.SystemRandom().random()
    with context.Pool(4, initializer=random.seed, initargs=(seed,)) as pool:
        parts = pool.map(choose, [13, 13, 12, 12], chunksize=1)
    print(sum(parts, []))
