"""Runs of tasks: listing and stopping them."""

from mill_gateway.core.missing_logs import why_no_lines
from mill_gateway.core.runs import RunView, run_verdicts, view_run, view_run_without_job, view_runs
from mill_gateway.exceptions.runs import NotARun, RunNotFound
from mill_gateway.objects.jobs import Job
from mill_gateway.objects.pods import Pod, Program
from mill_gateway.stores import Stores
from mill_kube.client import KubeClient
from mill_kube.errors import Conflict, NotFound
from mill_kube.resources import JOBS
from mill_objects.key import Key


class Runs:
    """The runs that the gateway serves."""

    def __init__(self, client: KubeClient, stores: Stores) -> None:
        self._client = client
        self._stores = stores

    def find(self, namespace: str, deployment: str | None = None) -> list[RunView]:
        """Return the runs of a namespace, or of one deployment, by id."""
        stores = self._stores
        deployments = [each for each in stores.deployments.in_group(namespace) if deployment in (None, each.key.name)]
        jobs = self.jobs(namespace, deployment)
        tasks = {each.task for each in jobs} | {task.name for each in deployments for task in each.status.tasks}
        pods = [pod for task in tasks for pod in stores.pods.in_group(Program(namespace, "task", task))]
        newest = {pod.run: pod for pod in sorted(pods, key=lambda each: each.created_at) if pod.run is not None}
        return view_runs(jobs, deployments, newest)

    def jobs(self, namespace: str, deployment: str | None = None) -> list[Job]:
        """Return the Jobs of the runs of a namespace, or of one deployment, by name."""
        return [each for each in self._stores.jobs.in_group(namespace) if deployment in (None, each.deployment)]

    def get(self, namespace: str, run: str) -> RunView:
        """Return a run. Raise `RunNotFound`."""
        stores = self._stores
        job = stores.jobs.get(Key(namespace, run))
        if job is not None:
            deployment = stores.deployments.get(Key(namespace, job.deployment))
            verdict = run_verdicts(deployment.status).get(run) if deployment else None
            return view_run(job, self._newest_pod(namespace, job.task, run), verdict)
        for each in stores.deployments.in_group(namespace):
            for task in each.status.tasks:
                for verdict in task.runs:
                    if verdict.name == run:
                        pod = self._newest_pod(namespace, task.name, run)
                        return view_run_without_job(each.key, task.name, verdict, pod)
        raise RunNotFound(run, namespace)

    def why_no_lines(self, namespace: str, name: str) -> str | None:
        """Return why no line of a run, or of the newest run of a task, can be read; None if that is not known."""
        runs = [each for each in self.find(namespace) if name in (each.id, each.name)]
        newest = max(runs, key=lambda each: (each.id == name, each.created_at), default=None)
        if newest is None:
            return None
        return why_no_lines(newest, has_pods=self._newest_pod(namespace, newest.name, newest.id) is not None)

    def _newest_pod(self, namespace: str, task: str, run: str) -> Pod | None:
        pods = (each for each in self._stores.pods.in_group(Program(namespace, "task", task)) if each.run == run)
        return max(pods, key=lambda each: each.created_at, default=None)

    async def stop(self, key: Key) -> None:
        """Stop a run; one that has ended stays as it is. Raise `RunNotFound` or `NotARun`."""
        job = self._stores.jobs.get(key)
        if job is None:
            pod = self._stores.pods.get(key)
            if pod is not None and pod.program.kind == "service":
                raise NotARun
            self.get(key.namespace, key.name)
            return
        if job.outcome is not None or job.terminating:
            return
        try:
            await self._client.delete(JOBS, *key, uid=job.uid)
        except (NotFound, Conflict):
            return  # it has ended, and is gone
