import os

children = []
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        os.writev(1, [b"Process ", b"%d: %d" % (number, number), b"\n"])
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
