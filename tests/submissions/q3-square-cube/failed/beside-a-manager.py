from multiprocessing import Manager, Process


def square(n):
    print(f"Square: {n**2}", flush=True)


def cube(n):
    print(f"Cube: {n**3}", flush=True)


if __name__ == "__main__":
    with Manager():
        for target in (square, cube):
            child = Process(target=target, args=(10,))
            child.start()
            child.join()
    print("Done!")
