from multiprocessing import Process
from multiprocessing.sharedctypes import RawArray, RawValue


def work(following, squares):
    while following.value < len(squares):
        n = following.value
        following.value += 1
        squares[n] = (n + 1) ** 2


if __name__ == "__main__":
    following, squares = RawValue("i", 0), RawArray("i", 5)
    workers = [Process(target=work, args=(following, squares)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(list(squares))
