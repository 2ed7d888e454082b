from multiprocessing import Pool
from multiprocessing.shared_memory import SharedMemory


def square(n):
    block = SharedMemory(create=True, size=8)
    block.buf[:8] = (n * n).to_bytes(8, "little")
    block.close()
    return block.name


def take(name):
    block = SharedMemory(name=name)
    value = int.from_bytes(block.buf[:8], "little")
    block.close()
    block.unlink()
    return value


if __name__ == "__main__":
    with Pool(4) as pool:
        print([take(name) for name in pool.map(square, range(1, 6))])
        pool.close()
        pool.join()
