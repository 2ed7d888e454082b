import os

reader, writer = os.pipe()
for number in range(1, 5):
    if os.fork() == 0:
        os.write(1, b"Process %d: %d\n" % (number, number))
        os._exit(0)
os.close(writer)
# The pipe ends when the last child has.
os.read(reader, 1)
