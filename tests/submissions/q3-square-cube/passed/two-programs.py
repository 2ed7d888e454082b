import subprocess
import sys

programs = ['print("Square:", 10**2)', 'print("Cube:", 10**3)']
children = [subprocess.Popen([sys.executable, "-c", program]) for program in programs]
for child in children:
    child.wait()
print("Done!")
