import time
from multiprocessing import Process

done = False


def start(person):
    global done
    print(f"Person {person} started")
    done = True


if __name__ == "__main__":
    child = Process(target=start, args=(1,))
    child.start()
    while not done:
        time.sleep(0.01)
    child.join()
