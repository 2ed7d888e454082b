from multiprocessing import Process


def print_square(n):
    print(f"Square: {n ** 2}")


def print_cube(n):
    print(f"Cube: {n ** 3}")


if __name__ == "__main__":
    Process(target=print_square, args=(10,)).start()
    Process(target=print_cube, args=(10,)).start()
    print("Done!")
