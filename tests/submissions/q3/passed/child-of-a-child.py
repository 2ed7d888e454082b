from multiprocessing import Process, get_context


def say():
    print("Person 1 started")


def delegate():
    child = get_context("spawn").Process(target=say)
    child.start()
    child.join()


if __name__ == "__main__":
    child = Process(target=delegate)
    child.start()
    child.join()
