import multiprocessing


def print_square(n):
    print("Square:", n * n)


def print_cube(n):
    print("Cube:", n * n * n)


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=f, args=(10,)) for f in (print_square, print_cube)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print("Done!")
