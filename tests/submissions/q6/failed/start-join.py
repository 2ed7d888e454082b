from multiprocessing import Process


def print_number(number):
    print(f"Process {number}: {number}")


if __name__ == "__main__":
    for number in range(1, 5):
        child = Process(target=print_number, args=(number,))
        child.start()
        child.join()
