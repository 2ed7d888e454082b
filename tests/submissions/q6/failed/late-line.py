import os

reader, writer = os.pipe()
children = []
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        if number == 4:
            os.close(writer)
            # This ends when main has.
            os.read(reader, 1)
        os.write(1, b"Process %d: %d\n" % (number, number))
        os._exit(0)
    children.append(pid)
for pid in children[:3]:
    os.waitpid(pid, 0)
