import os

os.system("/bin/echo 'Square: 100'; true")
os.system("/bin/echo 'Cube: 1000'; true")
print("Done!")
