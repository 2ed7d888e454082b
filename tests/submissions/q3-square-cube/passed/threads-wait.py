import subprocess
import sys
import threading

programs = ['print("Square:", 10**2)', 'print("Cube:", 10**3)']
threads = []
for program in programs:
    command = [sys.executable, "-S", "-c", program]
    threads.append(threading.Thread(target=subprocess.run, args=(command,)))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("Done!")
