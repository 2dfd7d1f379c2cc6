"""Where everything derived from a video lies: paths made from content hashes and spec ids alone, never from a user's text."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MediaStore:
    """A folder of media, shared by datasets: `<root>/<first two digits>/<sha256>/`."""

    root: Path

    def folder(self, media: str) -> Path:
        """The folder of one video's files.

        Raises:
            ValueError: `media` is no SHA-256 in hex.
        """
        if re.fullmatch(r"[0-9a-f]{64}", media) is None:
            raise ValueError(f"{media!r} is not a content hash")
        return self.root / media[:2] / media

    def original(self, media: str) -> Path:
        """The file as it was given, whatever its container: `original`, without a suffix."""
        return self.folder(media) / "original"

    def proxy(self, media: str) -> Path:
        """H.264 mp4 that plays in any browser."""
        return self.folder(media) / "proxy.mp4"

    def poster(self, media: str) -> Path:
        """A JPEG frame of the video."""
        return self.folder(media) / "poster.jpg"

    def flow_preview(self, media: str, frames_id: str, flow_id: str) -> Path:
        """H.264 mp4 of the colour-coded flow of one frame pack."""
        return self.folder(media) / f"flow-{_hex(frames_id)}-{_hex(flow_id)}.mp4"

    def frames(self, media: str, spec_id: str) -> Path:
        """The frame pack."""
        return self.folder(media) / f"frames-{_hex(spec_id)}.pack"

    def flow(self, media: str, frames_id: str, flow_id: str) -> Path:
        """The flow pack made from one frame pack."""
        return self.folder(media) / f"flow-{_hex(frames_id)}-{_hex(flow_id)}.pack"


def _hex(spec_id: str) -> str:
    if re.fullmatch(r"[0-9a-f]{12}", spec_id) is None:
        raise ValueError(f"{spec_id!r} is not a spec id")
    return spec_id
