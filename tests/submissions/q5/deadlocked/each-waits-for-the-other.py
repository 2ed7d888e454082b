from multiprocessing import Pipe, Process


def square(main):
    n = main.recv()
    main.send(n * n)


if __name__ == "__main__":
    workers = []
    for n in range(1, 6):
        here, there = Pipe()
        worker = Process(target=square, args=(there,))
        worker.start()
        workers.append((n, worker, here))
    squares = []
    for n, worker, here in workers:
        squares.append(here.recv())
        here.send(n)
        worker.join()
    print(squares)
