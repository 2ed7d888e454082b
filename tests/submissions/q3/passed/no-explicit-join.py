from multiprocessing import Process


def start(person):
    print(f"Person {person} started")


if __name__ == "__main__":
    Process(target=start, args=(1,)).start()
