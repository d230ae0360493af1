"""Counts on a cluster that listens: python3 counter.py HOST:PORT[,HOST:PORT…] [NAME [TIMES]]"""

import sys

from holdfast_client import Session

endpoints = sys.argv[1].split(",")
name = sys.argv[2] if len(sys.argv) > 2 else "python"
times = int(sys.argv[3]) if len(sys.argv) > 3 else 3


def heard(type, payload):
    print(f"heard {type} {payload['value']}", flush=True)


def saw(value, index, compacted):
    print("saw", value, *(["compacted"] if compacted else []), flush=True)


session = Session(endpoints, "user:python", on_request=heard)
changes = session.subscribe("counter", "value", name, saw)
for _ in range(times):
    # A leader may be killed meanwhile: the answer takes longer then, and the command is executed once.
    outcome = session.execute("counter", "increment", {"name": name, "by": 1}, timeout_s=60)
    print(outcome["kind"], outcome.get("value"), flush=True)
outcome = session.execute("counter", "increment", {"name": name, "by": 1000})
print(outcome["kind"], outcome["code"], outcome["details"])
changes.close()
session.execute("counter", "increment", {"name": name, "by": 1})
answer = session.query("counter", "value", name)
print("reads", answer["value"])
session.close()
