from multiprocessing import Process


def print_number(number):
    print(f"Process {number}: {number}")


def run(target, arguments):
    children = [Process(target=target, args=argument) for argument in arguments]
    for child in children:
        child.start()
    for child in children:
        child.join()


def start_two(first):
    run(print_number, [(first,), (first + 1,)])


if __name__ == "__main__":
    run(start_two, [(1,), (3,)])
