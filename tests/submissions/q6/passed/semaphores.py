from multiprocessing import Process, Semaphore


def print_number(number, turns):
    turns[number].acquire()
    print(f"Process {number}: {number}", flush=True)
    turns[number - 1].release()


if __name__ == "__main__":
    turns = [Semaphore(0) for _ in range(5)]
    children = [Process(target=print_number, args=(n, turns)) for n in range(1, 5)]
    for child in children:
        child.start()
    turns[4].release()
    for child in children:
        child.join()
