from multiprocessing import Array, Process, Value


def work(following, squares):
    while True:
        with following.get_lock():
            n = following.value
            following.value += 1
        if n >= len(squares):
            return
        squares[n] = (n + 1) ** 2


if __name__ == "__main__":
    following, squares = Value("i", 0), Array("i", 5)
    workers = [Process(target=work, args=(following, squares)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(list(squares))
