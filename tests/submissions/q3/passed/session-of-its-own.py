import os

pid = os.fork()
if pid == 0:
    os.setsid()
    os.write(1, b"Person 1 started\n")
    os._exit(0)
os.waitpid(pid, 0)
