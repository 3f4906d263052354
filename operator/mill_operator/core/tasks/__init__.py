"""Runs of tasks: no rollout's business, and judged by the same table as services.

- `jobs`: what we keep of a Job.
- `runs`: a Job and its pod → the state of a run, by the rules of `verdicts` and by `run_rules`.
- `status`: all of them → what the status tells, bounded.
"""
