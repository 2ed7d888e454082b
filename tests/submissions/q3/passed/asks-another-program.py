import subprocess

subprocess.run(["sh", "-c", "grep -q x /dev/null || echo 'Person 1 started'"], check=True)
