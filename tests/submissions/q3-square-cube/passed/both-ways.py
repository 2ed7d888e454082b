from multiprocessing import Pipe, Process


def print_power(name, exponent, main):
    main.send("number, please")
    print(f"{name}: {main.recv() ** exponent}", flush=True)
    main.send("printed")


if __name__ == "__main__":
    children = []
    for name, exponent in (("Square", 2), ("Cube", 3)):
        here, there = Pipe()
        child = Process(target=print_power, args=(name, exponent, there))
        child.start()
        children.append((child, here))
    for _, here in children:
        here.recv()
        here.send(10)
    for child, here in children:
        here.recv()
        child.join()
    print("Done!")
