from multiprocessing import Process, Queue


def work(tasks, results):
    while not tasks.empty():
        n = tasks.get()
        results.put((n, n * n))


if __name__ == "__main__":
    tasks, results = Queue(), Queue()
    for n in range(1, 6):
        tasks.put(n)
    workers = [Process(target=work, args=(tasks, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    squares = dict(results.get() for _ in range(5))
    for worker in workers:
        worker.join()
    print([squares[n] for n in range(1, 6)])
