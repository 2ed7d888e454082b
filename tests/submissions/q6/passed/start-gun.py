import os
import signal

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
children = []
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        signal.sigwait({signal.SIGUSR1})
        os.write(1, b"Process %d: %d\n" % (number, number))
        os._exit(0)
    children.append(pid)
for pid in children:
    os.kill(pid, signal.SIGUSR1)
for pid in children:
    os.waitpid(pid, 0)
