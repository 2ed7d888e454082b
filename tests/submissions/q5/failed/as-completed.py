from concurrent.futures import ProcessPoolExecutor, as_completed


def square(n):
    return n * n


if __name__ == "__main__":
    with ProcessPoolExecutor(max_workers=4) as pool:
        futures = [pool.submit(square, n) for n in range(1, 6)]
        print([future.result() for future in as_completed(futures)])
