import os

for number in range(1, 5):
    if os.fork() == 0:
        os.write(1, b"Process %d: %d\n" % (number, number))
        os._exit(0)
for _ in range(4):
    ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    os.waitid(os.P_PID, ended.si_pid, os.WEXITED)
