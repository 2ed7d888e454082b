from multiprocessing import Process


def print_power(name, exponent):
    print(f"{name}: {10**exponent}")


if __name__ == "__main__":
    powers = (("Square", 2), ("Cube", 3))
    children = [Process(target=print_power, args=power) for power in powers]
    for child in children:
        child.start()
    while any(child.is_alive() for child in children):
        for child in children:
            child.join(0.02)
    print("Done!")
