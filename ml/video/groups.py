"""Which videos were cut from one source: such a group may not stand on both sides of a split."""

import re

UCF101 = re.compile(r"v_(?P<name>.+)_(?P<group>g[0-9]+)_c[0-9]+\.[^.]+")
"""`v_ApplyEyeMakeup_g08_c01.avi`: person and place 8 of that class."""

HMDB51 = re.compile(r"(?P<source>.+)_[fhul]_(?:cm|nm)_np[0-9]+_(?:fr|ba|le|ri)_(?:goo|med|bad)_[0-9]+\.[^.]+")
"""`April_09_brush_hair_u_nm_np1_ba_goo_0.avi`: source and class, then visible body part, camera motion, number of people,
viewpoint, quality, number of the clip."""


def group_of(name: str) -> str:
    """The group a file name tells, or nothing. UCF101: `<class>_gNN`, counted anew in each class. HMDB51: all before the camera's
    properties: film and class (the official lists never part these; one film may well serve two classes, once in test)."""
    file_name = name.rpartition("/")[2]
    if match := UCF101.fullmatch(file_name):
        return f"{match['name']}_{match['group']}"
    if match := HMDB51.fullmatch(file_name):
        return match["source"]
    return ""
