import os

ready_reader, ready_writer = os.pipe()
gate_reader, gate_writer = os.pipe()
children = []
for number in range(1, 5):
    pid = os.fork()
    if pid == 0:
        os.close(gate_writer)
        os.write(1, b"Process %d: " % number)
        os.write(ready_writer, b"x")
        os.read(gate_reader, 1)
        os.write(1, b"%d\n" % number)
        os._exit(0)
    children.append(pid)
for _ in children:
    os.read(ready_reader, 1)
# The gate opens for all when its last writing end is closed.
os.close(gate_writer)
for pid in children:
    os.waitpid(pid, 0)
