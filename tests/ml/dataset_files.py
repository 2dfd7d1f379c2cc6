"""Members in memory: a dataset as a dictionary from name to content."""

import io
from collections.abc import Mapping

from ml.video.members import Member, Members


def members_of(files: Mapping[str, bytes | str]) -> Members:
    members = Members()
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        members.add(Member(name, len(data), lambda data=data: io.BytesIO(data)))  # type: ignore[misc]
    return members


def videos(*names: str) -> dict[str, bytes]:
    return {name: name.encode() for name in names}
