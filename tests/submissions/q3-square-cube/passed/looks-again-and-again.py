from multiprocessing import Process


def square(n):
    print(f"Square: {n**2}", flush=True)


def cube(n):
    print(f"Cube: {n**3}", flush=True)


if __name__ == "__main__":
    children = [Process(target=target, args=(10,)) for target in (square, cube)]
    for child in children:
        child.start()
    while any(child.is_alive() for child in children):
        pass
    for child in children:
        child.join()
    print("Done!", flush=True)
