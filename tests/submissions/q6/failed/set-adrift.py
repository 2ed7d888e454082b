import os
import time

reader, writer = os.pipe()
for number in range(1, 5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(1, b"Process %d: %d\n" % (number, number))
            os.closerange(0, 100)
            time.sleep(30)
        os._exit(0)
    os.wait()
os.close(writer)
os.read(reader, 1)
