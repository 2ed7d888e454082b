import json
import tempfile
from multiprocessing import Process


def work(n, path):
    with open(path) as file:
        squares = json.load(file)
    squares[n - 1] = n * n
    with open(path, "w") as file:
        json.dump(squares, file)


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile("w+") as shared:
        json.dump([0] * 5, shared)
        shared.flush()
        workers = [Process(target=work, args=(n, shared.name)) for n in range(1, 6)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        shared.seek(0)
        print(json.load(shared))
