"""Many readers of one stream, in a process of their own: `python -m tests.bench.stream_readers PORT PATH READERS`.

Says `connected` when all have the answer's beginning, then for each event of the stream (told by its id) when each
reader had it, as JSON: `{"id": …, "times": […]}`, in seconds of the machine's monotonic clock, which processes share.
"""

import asyncio
import json
import sys
import time


async def read(port: int, path: str, connected: asyncio.Event, arrivals: dict[str, list[float]]) -> None:
    """Read one stream to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head.splitlines()[0], head
    connected.set()
    async for line in reader:
        if line.startswith(b"id: "):
            arrivals.setdefault(line[4:].strip().decode(), []).append(time.monotonic())
            if line.endswith(b".end\r\n"):
                break
    writer.close()


async def main(port: int, path: str, readers: int) -> None:
    """Open all streams, and print what came."""
    arrivals: dict[str, list[float]] = {}
    events = [asyncio.Event() for _ in range(readers)]
    gate = asyncio.Semaphore(100)

    async def opened(event: asyncio.Event) -> None:
        async with gate:
            task = asyncio.create_task(read(port, path, event, arrivals))
            tasks.append(task)
            await event.wait()

    tasks: list[asyncio.Task[None]] = []
    await asyncio.gather(*(opened(each) for each in events))
    print("connected", flush=True)
    await asyncio.gather(*tasks)
    for event_id, times in arrivals.items():
        print(json.dumps({"id": event_id, "times": times}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
