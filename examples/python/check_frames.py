"""Reads and writes recorded frames: python3 check_frames.py FILE. Exits with 1 at the first that differs."""

import json
import sys

import frames


def with_bytes(value):
    """The message as it is in memory: bytes are recorded as {"hex": …}."""
    if isinstance(value, dict):
        if list(value) == ["hex"]:
            return bytes.fromhex(value["hex"])
        return {name: with_bytes(part) for name, part in value.items()}
    return [with_bytes(part) for part in value] if isinstance(value, list) else value


with open(sys.argv[1], encoding="utf-8") as file:
    recorded = json.load(file)
for direction, messages in (("up", frames.UP), ("down", frames.DOWN)):
    kinds = set()
    for at, record in enumerate(recorded[direction]):
        said = with_bytes(record["messages"])
        data = bytes.fromhex(record["hex"])
        kinds.update(message["kind"] for message in said)
        if frames.read_frame(data, messages) != said:
            sys.exit(f"{direction} {at} is read as {frames.read_frame(data, messages)}")
        if frames.write_frame(said, messages) != data:
            sys.exit(f"{direction} {at} is written as {frames.write_frame(said, messages).hex()}")
    missing = [kind for kind, _fields in messages if kind not in kinds]
    if missing:
        sys.exit(f"no frame of {missing} was recorded")
print(f"{len(recorded['up'])} frames up and {len(recorded['down'])} down agree")
