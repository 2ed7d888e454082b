from multiprocessing import Process


def print_both(n):
    print(f"Square: {n**2}")
    print(f"Cube: {n**3}")


if __name__ == "__main__":
    children = [Process(target=print_both, args=(10,)), Process()]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print("Done!")
