from multiprocessing import Process


def square(n):
    print(f"Square: {n * n}", flush=True)


def cube(n):
    print(f"Cube: {n**3}", flush=True)
    raise RuntimeError("oops")


if __name__ == "__main__":
    processes = [Process(target=square, args=(10,)), Process(target=cube, args=(10,))]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    print("Done!")
