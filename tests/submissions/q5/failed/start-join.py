from multiprocessing import Process, SimpleQueue


def square(n, squares):
    squares.put(n * n)


if __name__ == "__main__":
    squares = SimpleQueue()
    found = []
    for n in range(1, 6):
        worker = Process(target=square, args=(n, squares))
        worker.start()
        worker.join()
        found.append(squares.get())
    print(found)
