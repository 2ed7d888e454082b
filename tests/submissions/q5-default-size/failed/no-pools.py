import os

print("Workers by default:", os.cpu_count())
print("Workers asked for:", 4)
