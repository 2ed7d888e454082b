import os
import select

poll = select.poll()
alive = set()
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        os.write(1, b"Process %d: %d\n" % (number, number))
        os._exit(0)
    pidfd = os.pidfd_open(pid)
    poll.register(pidfd, select.POLLIN)
    alive.add(pidfd)
while alive:
    for pidfd, _ in poll.poll():
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
        poll.unregister(pidfd)
        alive.remove(pidfd)
