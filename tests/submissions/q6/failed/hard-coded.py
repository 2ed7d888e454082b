for number in range(1, 5):
    print(f"Process {number}: {number}")
