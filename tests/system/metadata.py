# SPDX-License-Identifier: MIT
"""An instance metadata service, version 2, that hands out keys which do not
live for long. None of an instance's own can be had in a test.

    with Metadata("eu-central-1", life=6, issue=lighter.add_keys) as metadata:
        … AWS_EC2_METADATA_SERVICE_ENDPOINT=metadata.endpoint …
        metadata.issued  # pairs"""

import http.server
import json
import secrets
import threading
import time

_ROLE = "/latest/meta-data/iam/security-credentials/"
_TOKEN = "X-aws-ec2-metadata-token"


class Metadata:
    def __init__(self, region, life, issue):
        """Every pair lives for `life` seconds; `issue` is called with access
        key, secret key, token and the time of its end before it is told."""
        self.region, self.life, self.issue = region, life, issue
        self.issued = 0
        self.silent = False  # every answer is a 503
        self.refused = []  # requests without a token
        self._token = secrets.token_urlsafe(40)
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.close()

    # -- what it says -------------------------------------------------------

    def _keys(self):
        self.issued += 1
        end = int(time.time()) + self.life
        keys = {"AccessKeyId": f"ASIA{self.issued:016}",
                "SecretAccessKey": secrets.token_urlsafe(30),
                "Token": secrets.token_urlsafe(300)}
        self.issue(*keys.values(), end)
        return json.dumps({"Code": "Success", "Type": "AWS-HMAC", **keys,
                           "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                                       time.gmtime(end))})

    def _handler(self):
        metadata = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def _answer(self, status, text=""):
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_PUT(self):
                wanted = self.headers.get(f"{_TOKEN}-ttl-seconds")
                if metadata.silent:
                    self._answer(503)
                elif self.path == "/latest/api/token" and wanted:
                    self._answer(200, metadata._token)
                else:
                    self._answer(400)

            def do_GET(self):
                if metadata.silent:
                    self._answer(503)
                elif self.headers.get(_TOKEN) != metadata._token:
                    metadata.refused.append(self.path)
                    self._answer(401)
                elif self.path == _ROLE:
                    self._answer(200, "web-role")
                elif self.path == f"{_ROLE}web-role":
                    self._answer(200, metadata._keys())
                elif self.path == "/latest/meta-data/placement/region":
                    self._answer(200, metadata.region)
                else:
                    self._answer(404)

        return Handler
