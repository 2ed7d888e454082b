import os
import sys

children = []
for number in range(1, 5):
    program = f"print('Process {number}: {number}')"
    arguments = [sys.executable, "-S", "-c", program]
    children.append(os.posix_spawn(sys.executable, arguments, os.environ))
for pid in children:
    os.waitpid(pid, 0)
