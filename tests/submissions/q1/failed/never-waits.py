import math
import os
import time

main = os.getpid()


def count_primes(limit):
    prime = bytearray([0, 0]) + bytearray([1]) * (limit - 2)
    for d in range(2, math.isqrt(limit) + 1):
        prime[d * d :: d] = bytes(len(range(d * d, limit, d)))
    return prime


print("Logical CPUs:", os.cpu_count(), flush=True)
print(f"1 process: {sum(count_primes(200_000))} primes below 200000", flush=True)
reader, writer = os.pipe()
for half in (slice(0, 100_000), slice(100_000, None)):
    if os.fork() == 0:
        os.write(writer, b"%6d" % sum(count_primes(200_000)[half]))
        while os.getppid() == main:
            time.sleep(0.01)
        os._exit(0)
primes = int(os.read(reader, 6)) + int(os.read(reader, 6))
print(f"2 processes: {primes} primes below 200000\nSpeed-up: 1.0")
