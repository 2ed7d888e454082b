import os
import tempfile

with tempfile.TemporaryDirectory() as folder:
    children = []
    for worker in range(4):
        pid = os.fork()
        if pid == 0:
            for n in range(worker + 1, 6, 4):
                with open(f"{folder}/{n}", "w") as file:
                    file.write(str(n * n))
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    squares = []
    for n in range(1, 6):
        with open(f"{folder}/{n}") as file:
            squares.append(int(file.read()))
print(squares)
