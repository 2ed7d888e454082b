import os
import sys

children = []
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        print(f"Process {number}: {number}")
        sys.exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
