"""Parts of the processes of operator and gateway: settings, logs, supervision of background tasks, probes, metrics."""
