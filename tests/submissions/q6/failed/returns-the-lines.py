from multiprocessing import Barrier, Process, SimpleQueue


def make_line(number, lines, barrier):
    barrier.wait()
    lines.put(f"Process {number}: {number}")


if __name__ == "__main__":
    lines, barrier = SimpleQueue(), Barrier(4)
    children = [Process(target=make_line, args=(n, lines, barrier)) for n in range(1, 5)]
    for child in children:
        child.start()
    for child in children:
        print(lines.get())
    for child in children:
        child.join()
