import os
import time

alive = set()
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        os.write(1, b"Process %d: %d\n" % (number, number))
        os._exit(0)
    alive.add(pid)
while alive:
    pid, _ = os.waitpid(-1, os.WNOHANG)
    if pid:
        alive.remove(pid)
    else:
        time.sleep(0.01)
