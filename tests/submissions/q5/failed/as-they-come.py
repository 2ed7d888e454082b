import multiprocessing

context = multiprocessing.get_context("fork")
another_is_done = context.Event()


def square(n):
    if n == 1:
        another_is_done.wait()
    return n * n


if __name__ == "__main__":
    squares = []
    with context.Pool(4) as pool:
        for result in pool.imap_unordered(square, range(1, 6)):
            squares.append(result)
            another_is_done.set()
    print(squares)
