from multiprocessing import Pool

if __name__ == "__main__":
    with Pool() as pool:
        print("Workers by default:", pool._processes)
    with Pool(2):
        print("Workers asked for: 4")
