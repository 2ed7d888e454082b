import os


def output(number):
    """A descriptor for standard output, another one for each number."""
    if number == 1:
        return os.dup(1)
    if number == 2:
        return os.open("/dev/stdout", os.O_WRONLY)
    if number == 3:
        return os.open("/proc/self/fd/1", os.O_WRONLY)
    other = os.dup2(1, 77)
    os.close(1)
    return other


children = []
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        os.write(output(number), b"Process %d: %d\n" % (number, number))
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
