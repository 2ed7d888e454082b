import multiprocessing

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    for words, number in (("by default", None), ("asked for", 4)):
        pool = context.Pool(number)
        print(f"Workers {words}: {len(multiprocessing.active_children())}", flush=True)
        pool.close()
        pool.join()
