from multiprocessing import Lock, Pipe, Process


def work(first, second, n, end):
    with first, second:
        end.send(n * n)


if __name__ == "__main__":
    locks = [Lock(), Lock()]
    pipes = [Pipe(duplex=False) for _ in range(5)]
    workers = []
    for n, (_, end) in enumerate(pipes, 1):
        workers.append(Process(target=work, args=(*locks, n, end)))
        locks.reverse()
    for worker in workers:
        worker.start()
    print([result.recv() for result, _ in pipes])
    for worker in workers:
        worker.join()
