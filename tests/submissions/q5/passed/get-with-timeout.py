import queue
import sys
from multiprocessing import Process, Queue


def work(tasks, results):
    for number in iter(tasks.get, None):
        results.put((number, number * number))


if __name__ == "__main__":
    tasks, results = Queue(), Queue()
    workers = [Process(target=work, args=(tasks, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for number in range(1, 6):
        tasks.put(number)
    for _ in workers:
        tasks.put(None)
    try:
        squares = dict(results.get(timeout=5) for _ in range(5))
    except queue.Empty:
        sys.exit("the workers take too long")
    for worker in workers:
        worker.join()
    print([squares[number] for number in range(1, 6)])
