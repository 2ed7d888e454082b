import os
import tempfile

LENGTH = len("Process 1: 1\n")

with tempfile.TemporaryFile() as file:
    for number in range(1, 5):
        file.write(b"Process %d: %d\n" % (number, number))
    file.flush()
    children = []
    for part in range(4):
        pid = os.fork()
        if pid == 0:
            os.sendfile(1, file.fileno(), part * LENGTH, LENGTH)
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
