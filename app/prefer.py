"""`Prefer: wait=N` (RFC 7240): how long a client would like to wait for a finished answer."""

from urllib.request import parse_http_list


def wait_seconds(header: str | None, *, at_most: int) -> int | None:
    """The seconds that a Prefer header asks to wait, cut to `at_most`; None where it asks not.

    As the RFC has it, the first of several counts, and what cannot be read is ignored.
    """
    for preference in parse_http_list(header or ""):
        name, _, rest = preference.partition("=")
        value = rest.partition(";")[0].strip().strip('"')
        if name.strip().lower() == "wait":
            return min(int(value), at_most) if value.isascii() and value.isdigit() else None
    return None
