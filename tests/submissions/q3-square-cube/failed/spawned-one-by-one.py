import multiprocessing


def print_power(name, exponent):
    print(f"{name}: {10**exponent}")


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    for power in (("Square", 2), ("Cube", 3)):
        child = context.Process(target=print_power, args=power)
        child.start()
        child.join()
    print("Done!")
