import asyncio
import sys


async def run(program):
    child = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", program)
    await child.wait()


async def main():
    await asyncio.gather(run('print("Square:", 10**2)'), run('print("Cube:", 10**3)'))
    print("Done!")


asyncio.run(main())
