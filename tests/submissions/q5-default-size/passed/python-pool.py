from multiprocessing import Pool

if __name__ == "__main__":
    with Pool() as pool:
        print("Workers by default:", pool._processes)
    with Pool(4) as pool:
        print("Workers asked for:", pool._processes)
