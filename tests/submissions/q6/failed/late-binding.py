import multiprocessing

context = multiprocessing.get_context("fork")
children = []
for number in range(1, 5):
    children.append(context.Process(target=lambda: print(f"Process {number}: {number}")))
for child in children:
    child.start()
for child in children:
    child.join()
