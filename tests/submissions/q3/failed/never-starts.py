from multiprocessing import Process


def start(person):
    print(f"Person {person} started")


if __name__ == "__main__":
    child = Process(target=start(1))
    child.start()
    child.join()
