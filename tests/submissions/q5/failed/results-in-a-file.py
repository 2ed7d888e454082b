import json
from multiprocessing import Process


def work(n):
    with open("squares.json") as file:
        squares = json.load(file)
    squares[n - 1] = n * n
    with open("squares.json", "w") as file:
        json.dump(squares, file)


if __name__ == "__main__":
    with open("squares.json", "w") as file:
        json.dump([0] * 5, file)
    workers = [Process(target=work, args=(n,)) for n in range(1, 6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with open("squares.json") as file:
        print(json.load(file))
