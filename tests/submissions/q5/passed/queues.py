from multiprocessing import Process, SimpleQueue


def work(numbers, squares):
    while (n := numbers.get()) is not None:
        squares.put((n, n * n))


if __name__ == "__main__":
    numbers, squares = SimpleQueue(), SimpleQueue()
    workers = [Process(target=work, args=(numbers, squares)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for n in [1, 2, 3, 4, 5, None, None, None, None]:
        numbers.put(n)
    found = dict(squares.get() for _ in range(5))
    for worker in workers:
        worker.join()
    print([found[n] for n in range(1, 6)])
