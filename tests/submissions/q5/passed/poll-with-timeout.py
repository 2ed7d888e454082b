from multiprocessing import Pipe, Process


def work(number, end):
    end.send(number * number)


if __name__ == "__main__":
    children = []
    for number in range(1, 6):
        mine, its = Pipe()
        child = Process(target=work, args=(number, its))
        child.start()
        children.append((child, mine))
    squares = []
    for child, end in children:
        if not end.poll(3):
            raise TimeoutError("a child takes too long")
        squares.append(end.recv())
        child.join(3)
        assert child.exitcode == 0
    print(squares)
