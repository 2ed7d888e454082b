import os


def start_and_wait(work):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    os.waitpid(pid, 0)


start_and_wait(lambda: start_and_wait(lambda: os.write(1, b"Person 1 started\n")))
