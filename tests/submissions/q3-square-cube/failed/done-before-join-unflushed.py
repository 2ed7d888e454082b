from multiprocessing import Process


def print_square(n):
    print("Square:", n * n)


def print_cube(n):
    print("Cube:", n * n * n)


if __name__ == "__main__":
    children = [Process(target=print_square, args=(10,)), Process(target=print_cube, args=(10,))]
    for child in children:
        child.start()
    print("Done!")
    for child in children:
        child.join()
