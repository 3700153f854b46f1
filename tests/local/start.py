"""Starts ministack on a free port of loopback, prints the port, and ends with whoever holds its standard input.

    python start.py

Only the functions' processes and it are in its process group, so that none outlives it.
"""

import inspect
import os
import signal
import socket
import sys
import threading

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]

# Without BIND_HOST it would be open to the network, and without the endpoint the functions would call AWS.
os.environ.update(
    BIND_HOST="127.0.0.1",
    GATEWAY_PORT=str(port),
    IOT_MTLS_ENABLED="0",
    AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
)

from ministack import app  # noqa: E402, it reads the environment when it is loaded
from ministack.services import eventbridge  # noqa: E402

# As on AWS, PutEvents refuses sources named `aws.…`. Here somebody has to play CloudTrail, so that the template's own pattern
# is what is matched.
put_events = getattr(eventbridge, "_put_events", None)
if put_events is None or list(inspect.signature(put_events).parameters) != ["data", "allow_aws_source"]:
    sys.exit("this version of ministack has no `_put_events(data, allow_aws_source)`; install the pinned one")
put_events.__defaults__ = (True,)


def end_with_the_parent():
    sys.stdin.read()
    os.killpg(os.getpgrp(), signal.SIGTERM)


threading.Thread(target=end_with_the_parent, daemon=True).start()
print(port, flush=True)
app.main()
