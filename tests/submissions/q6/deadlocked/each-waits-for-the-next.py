import os

pipes = [os.pipe() for _ in range(4)]
children = []
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        os.read(pipes[number - 1][0], 1)
        os.write(1, b"Process %d: %d\n" % (number, number))
        os.write(pipes[number % 4][1], b"x")
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
