from multiprocessing import Event, Process


def square(n, printed):
    print(f"Square: {n**2}", flush=True)
    printed.set()


def cube(n, printed):
    print(f"Cube: {n**3}", flush=True)
    printed.set()


if __name__ == "__main__":
    events = [Event(), Event()]
    children = [Process(target=target, args=(10, event)) for target, event in zip((square, cube), events)]
    for child in children:
        child.start()
    for event in events:
        event.wait()
    print("Done!", flush=True)
    for child in children:
        child.join()
