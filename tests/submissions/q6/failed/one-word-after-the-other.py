from multiprocessing import Pipe, Process


def work(n, end):
    print(f"Process {n}: {n}", flush=True)
    end.send(n)


if __name__ == "__main__":
    children = []
    for n in range(1, 5):
        word, end = Pipe(duplex=False)
        child = Process(target=work, args=(n, end))
        child.start()
        children.append(child)
        word.recv()
    for child in children:
        child.join()
