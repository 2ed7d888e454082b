print([n * 37 % 50 for n in range(50)])
