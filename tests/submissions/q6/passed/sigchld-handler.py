import os
import signal

alive = set()


def reap(_signal, _frame):
    # The handler may be called again while it runs, and the inner call leaves the outer one without a child.
    for child in list(alive):
        try:
            pid, _ = os.waitpid(child, os.WNOHANG)
        except ChildProcessError:
            pid = child
        if pid == child:
            alive.discard(child)


reader, writer = os.pipe()
os.set_blocking(writer, False)
signal.set_wakeup_fd(writer)
signal.signal(signal.SIGCHLD, reap)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        os.write(1, b"Process %d: %d\n" % (number, number))
        os._exit(0)
    alive.add(pid)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
while alive:
    os.read(reader, 1)
