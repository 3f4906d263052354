"""Nodes and runs as the gateway lists them, and the original's tables of them to the byte."""

NODES = [
    {
        "id": "3f9a0c11d2e4b567",
        "address": "10.99.0.1:4400",
        "status": "ready",
        "cpu_total": 4.0,
        "cpu_available": 3.75,
        "memory_total_bytes": 8375186227,
        "memory_available_bytes": 8247186227,
        "alloc_count": 1,
    },
    {
        "id": "b",
        "address": None,
        "status": "draining",
        "cpu_total": 2,
        "cpu_available": 2,
        "memory_total_bytes": 4294967296,
        "memory_available_bytes": 4294967296,
        "alloc_count": 10,
    },
]
NODE_TABLE = """\
 NAME              STATUS    CPU    MEM                ALLOCS·
 3f9a0c11d2e4b567  ready     0.2/4  122.1 MiB/7.8 GiB  1······
 b                 draining  0/2    0 B/4.0 GiB        10·····
""".replace("·", " ")
RUNS = [
    {
        "id": "migrate-11cc64ba",
        "name": "migrate",
        "node": "node-1",
        "status": "running",
        "address": None,
        "cpu": 0.25,
        "memory": 128000000,
    },
    {
        "id": "täsk-1",
        "name": "täsk",
        "node": "node-2",
        "status": "stopped",
        "address": None,
        "cpu": 2.0,
        "memory": 1000,
    },
]
RUN_TABLE = """\
 ID                NAME     NODE    STATUS   CPU  MEM·······
 migrate-11cc64ba  migrate  node-1  running  0.2  122.1 MiB·
 täsk-1            täsk     node-2  stopped  2    1000 B····
""".replace("·", " ")
PS_TABLE = """\
 ID                NAME     NODE    STATUS   CPU  MEM        EXIT  AGE  REASON·
 migrate-11cc64ba  migrate  node-1  running  0.2  122.1 MiB····················
 täsk-1            täsk     node-2  stopped  2    1000 B·······················
""".replace("·", " ")
