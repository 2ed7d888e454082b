import os

pid = os.fork()
if pid == 0:
    os.execv("/bin/sh", ["sh", "-c", 'echo "Person $1 started"', "sh", "1"])
os.waitpid(pid, 0)
