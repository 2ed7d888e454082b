from multiprocessing import Array, Process


def square(worker, squares):
    for n in range(worker, 5, 4):
        with squares.get_lock():
            squares[n] = (n + 1) ** 2


if __name__ == "__main__":
    squares = Array("i", 5)
    children = [Process(target=square, args=(worker, squares)) for worker in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print(list(squares))
