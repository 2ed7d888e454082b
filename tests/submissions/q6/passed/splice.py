import os

children = []
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        reader, writer = os.pipe()
        length = os.write(writer, b"Process %d: %d\n" % (number, number))
        os.splice(reader, 1, length)
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
