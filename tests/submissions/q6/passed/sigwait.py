import os
import signal

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
alive = set()
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        os.write(1, b"Process %d: %d\n" % (number, number))
        os._exit(0)
    alive.add(pid)
while alive:
    signal.sigwait({signal.SIGCHLD})
    for pid in list(alive):
        if os.waitpid(pid, os.WNOHANG)[0]:
            alive.remove(pid)
