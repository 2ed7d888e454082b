import subprocess
import sys

program = 'person = 1\nprint(f"Person {person} started")\n'
subprocess.run([sys.executable, "-"], input=program, text=True, check=True)
