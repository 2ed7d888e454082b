import multiprocessing


def start(person):
    print(f"Person {person} started")


if __name__ == "__main__":
    child = multiprocessing.get_context("forkserver").Process(target=start, args=(1,))
    child.start()
    child.join()
