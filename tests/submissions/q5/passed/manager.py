from multiprocessing import Manager, Process


def square(n, squares):
    squares[n] = n * n


if __name__ == "__main__":
    with Manager() as manager:
        squares = manager.dict()
        children = [Process(target=square, args=(n, squares)) for n in range(1, 6)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        print([squares[n] for n in range(1, 6)])
