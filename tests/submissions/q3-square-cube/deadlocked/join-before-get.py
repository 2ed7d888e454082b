from multiprocessing import Process, Queue


def square(n, results):
    print("Square:", n * n, flush=True)
    # More than the pipe under the queue can hold.
    results.put(bytes(1_000_000))


def cube(n, results):
    print("Cube:", n * n * n, flush=True)


if __name__ == "__main__":
    results = Queue()
    children = [Process(target=f, args=(10, results)) for f in (square, cube)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    results.get()
    print("Done!")
