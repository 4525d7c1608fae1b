# SPDX-License-Identifier: MIT
"""One container of a private Engine, and what can be done to it."""

from urllib.parse import urlencode

from unix_http import ApiError


class Container:
    def __init__(self, engine, container_id):
        self.engine = engine
        self.id = container_id

    def _post(self, action, timeout=30, **query):
        suffix = f"?{urlencode(query)}" if query else ""
        return self.engine.api(
            "POST", f"/containers/{self.id}/{action}{suffix}", timeout=timeout)

    def inspect(self):
        return self.engine.api("GET", f"/containers/{self.id}/json")

    @property
    def name(self):
        return self.inspect()["Name"].lstrip("/")

    @property
    def pid(self):
        """The first process, as the host sees it; 0 when it does not run."""
        return self.inspect()["State"]["Pid"]

    def start(self):
        self._post("start")

    def stop(self, grace=0):
        """The shell that most test containers run as PID 1 ignores SIGTERM,
        so by default nobody waits for it."""
        self._post("stop", t=grace)

    def restart(self):
        self._post("restart", t=0)

    def kill(self, signal="KILL"):
        self._post("kill", signal=signal)

    def pause(self):
        self._post("pause")

    def unpause(self):
        self._post("unpause")

    def rename(self, name):
        self._post("rename", name=name)

    def wait(self, timeout=30):
        """Until it has ended; its exit code."""
        return self._post("wait", timeout=timeout)["StatusCode"]

    def update(self, **resources):
        """Change limits while it runs; keys of the API's Resources."""
        self.engine.api("POST", f"/containers/{self.id}/update", resources)

    def execute(self, *command):
        """Run a command inside and wait for it; its exit code."""
        exec_id = self.engine.api("POST", f"/containers/{self.id}/exec", {
            "Cmd": list(command), "AttachStdout": True})["Id"]
        self.engine.api("POST", f"/exec/{exec_id}/start", {"Detach": False})
        return self.engine.api("GET", f"/exec/{exec_id}/json")["ExitCode"]

    def stats(self):
        """What `docker stats` computes from."""
        return self.engine.api(
            "GET", f"/containers/{self.id}/stats?stream=false")

    def remove(self):
        try:
            self.engine.api("DELETE", f"/containers/{self.id}?force=1&v=1")
        except ApiError as error:
            # 404: gone already; 409: --rm is removing it right now
            if error.status not in (404, 409):
                raise
