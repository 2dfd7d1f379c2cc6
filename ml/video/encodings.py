"""Text and names of unknown encoding, as machines of many countries wrote them."""

import codecs
import re

BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
IN_A_LATIN_WORD = re.compile(rb"(?<=[A-Za-z])[\x80-\xff]{1,2}(?![\x80-\xff])|(?<![\x80-\xff])[\x80-\xff]{1,2}(?=[A-Za-z])")
"""One or two accented letters beside a plain one; a Chinese word is apart, and longer than a character as a rule."""


def decoded(data: bytes, western: str) -> str:
    """UTF-8; else the Chinese GB 18030, or `western`, an encoding of single bytes, where most bytes beyond ASCII stand in a Latin word.

    Raises:
        UnicodeDecodeError: it is none of them.
    """
    first, second = (western, "gb18030") if _is_western(data) else ("gb18030", western)
    for encoding in ("utf-8", first):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode(second)


def _is_western(data: bytes) -> bool:
    return len(IN_A_LATIN_WORD.findall(data)) > len(HIGH_BYTES.findall(data)) / 2


def wide_encoding(data: bytes) -> str:
    """Of text that says its encoding itself: by a mark, or by zeros in every second byte; else nothing."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return encoding
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = data[offset::2].count(0), data[1 - offset :: 2].count(0)
        if zeros > len(data) / 4 and not others:
            return encoding
    return ""
