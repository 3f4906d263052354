"""Random inputs for everything that reads what others write: `make fuzz`, or `python -m tests.fuzz --help`.

- `target`: what a target is. `targets/`: all of them, a file for each subject.
- `texts`: text and bytes at random, and others' texts with something changed.
- `projections`: every function that reads an object of the API server's. `samples`, `mutations`: objects that are good,
  and what becomes of them.
- `worker`: tries inputs one after the other. `runner`: workers on all cores, and what they report.

An input is made from seed, target and number alone, so each can be made again.
"""
