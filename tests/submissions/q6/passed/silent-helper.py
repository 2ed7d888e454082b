import os


def child(work):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid


reader, writer = os.pipe()


def collect():
    os.close(writer)
    while os.read(reader, 100):
        pass


def print_number(number):
    os.write(writer, b"%d is about to print\n" % number)
    os.write(1, b"Process %d: %d\n" % (number, number))


children = [child(collect)]
for number in range(1, 5):
    children.append(child(lambda: print_number(number)))
os.close(writer)
for pid in children:
    os.waitpid(pid, 0)
