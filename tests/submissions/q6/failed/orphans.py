import os

reader, writer = os.pipe()
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        if os.fork() == 0:
            os.write(1, b"Process %d: %d\n" % (number, number))
        os._exit(0)
    os.waitpid(pid, 0)
os.close(writer)
os.read(reader, 1)
