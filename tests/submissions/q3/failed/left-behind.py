import os
import time

reader, writer = os.pipe()
if os.fork() == 0:
    os.write(1, b"Person 1 started\n")
    os.close(writer)
    time.sleep(0.2)
    os._exit(0)
os.close(writer)
os.read(reader, 1)
