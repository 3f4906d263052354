"""What operator and gateway share as processes: settings, logs, supervision of background tasks, probes, metrics."""
