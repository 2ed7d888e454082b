import os

pid = os.fork()
if pid == 0:
    print("Person 1 started")
    os._exit(0)
os.waitpid(pid, 0)
