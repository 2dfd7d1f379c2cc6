"""Why a file that is neither video nor list stays out, by its ending."""

from ml.video.names import suffix_of
from ml.words import Words

CSV_COLUMNS = "path,label and, if you like, subset,group"

REASONS: dict[tuple[str, ...], tuple[Words, Words]] = {
    (".xlsx", ".xls", ".ods", ".numbers"): (
        Words("It is a spreadsheet, and lists are read as CSV alone"),
        Words("Save it as CSV with the columns {columns}.", columns=CSV_COLUMNS),
    ),
    (".json", ".jsonl"): (Words("It is JSON, and lists are read as CSV alone"), Words("Write its labels as CSV, or leave it out.")),
    (".csv", ".tsv"): (
        Words("Its first line names no column path and no column label: it is read as no list"),
        Words("Leave it out; or name its columns {columns}.", columns=CSV_COLUMNS),
    ),
    (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".heic", ".tif", ".tiff"): (
        Words("It is a picture, no video"),
        Words("Leave it out; of videos that are kept as pictures make video files first."),
    ),
    (".part", ".crdownload", ".download", ".aria2", ".!qb", ".opdownload"): (
        Words("Its download was not finished"),
        Words("Finish it, or leave it out."),
    ),
}
OTHERS = Words("It is no video"), Words("Leave it out; or if it is one, give it its usual ending, such as .mp4 or .avi.")


def why_left_out(name: str) -> tuple[Words, Words]:
    """Reason and advice."""
    suffix = suffix_of(name)
    return next((said for suffixes, said in REASONS.items() if suffix in suffixes), OTHERS)
