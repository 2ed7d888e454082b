from multiprocessing import Pool, Process


def say(n):
    print(f"Process {n}: {n}", flush=True)


if __name__ == "__main__":
    with Pool(4) as pool:
        for n in range(1, 5):
            child = Process(target=say, args=(n,))
            child.start()
            child.join()
        pool.close()
        pool.join()
