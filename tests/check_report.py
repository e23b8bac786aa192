#!/usr/bin/env python3
"""Checks that what a report quotes is there.

    check_report.py WORKSPACE REPORT

Every code span `path:line` in the report must name a line of a file in the workspace. In a list
item that begins with such a span and ends with another code span, that line must hold the text of
the last one. Prints how many places were checked; exits 1 with each mismatch on a line of its own,
and also when there was nothing to check.
"""

import os
import re
import sys

PLACE = re.compile(r"(.+):([1-9][0-9]*)\Z", re.DOTALL)


def code_spans(line):
    """The contents of the code spans of one line, by the rules of CommonMark, and whether the last
    one ends the line."""
    spans, at, ends = [], 0, False
    while True:
        opening = re.compile(r"(?<!`)`+").search(line, at)
        if not opening:
            return spans, ends
        start, fence = opening.start(), opening.group()
        backslashes = len(line[:start]) - len(line[:start].rstrip("\\"))
        if backslashes % 2 == 1:
            # An escaped backtick opens nothing; what follows it may.
            at = start + 1
            continue
        closing = re.compile(r"(?<!`)" + fence + r"(?!`)").search(line, opening.end())
        if not closing:
            at = opening.end()
            continue
        content = line[opening.end() : closing.start()]
        if content.startswith(" ") and content.endswith(" ") and content.strip(" "):
            content = content[1:-1]
        spans.append(content)
        at = closing.end()
        ends = at == len(line)


def shown(raw):
    """A file name as reports show it: what is not UTF-8 and what is a control character, as U+FFFD."""
    text = raw.decode("utf-8", errors="replace")
    return "".join("\ufffd" if is_control(c) else c for c in text)


def is_control(character):
    code = ord(character)
    return code < 0x20 or 0x7F <= code < 0xA0


class Workspace:
    def __init__(self, root):
        self.root = os.fsencode(root)
        self.lines = {}
        self.names = None

    def find(self, path):
        """The file that a report calls `path`; None when there is none."""
        plain = os.path.join(self.root, path.encode())
        if os.path.isfile(plain):
            return plain
        if "\ufffd" not in path:
            return None
        if self.names is None:
            self.names = {}
            for folder, _, files in os.walk(self.root):
                for name in files:
                    full = os.path.join(folder, name)
                    self.names.setdefault(shown(os.path.relpath(full, self.root)), full)
        return self.names.get(path)

    def line(self, path, number):
        """One line of a file, without its end; raises LookupError when it is not there."""
        if path not in self.lines:
            file = self.find(path)
            if file is None:
                raise LookupError("no such file")
            with open(file, encoding="utf-8") as content:
                # Only a line feed ends a line, as in editors.
                text = content.buffer.read().decode("utf-8")
            self.lines[path] = text.split("\n")
        lines = self.lines[path]
        if number > len(lines):
            raise LookupError(f"the file has {len(lines)} lines")
        return lines[number - 1]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    workspace = Workspace(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8", newline="\n") as report:
        lines = report.read().split("\n")
    places, quotes, mismatches, fence = 0, 0, [], None
    for number, line in enumerate(lines, start=1):
        marker = re.match(r" {0,3}(`{3,})", line)
        if fence is not None:
            if marker and len(marker.group(1)) >= len(fence) and not line.strip().strip("`"):
                fence = None
            continue
        if marker and "`" not in line[marker.end() :]:
            fence = marker.group(1)
            continue
        in_table = line.startswith("|")
        spans, ends = code_spans(line.replace("\\|", "|") if in_table else line)
        for position, span in enumerate(spans):
            place = PLACE.match(span)
            if not place:
                continue
            is_first = position == 0 and line.startswith("- `")
            quote = spans[-1] if is_first and ends and len(spans) > 1 else None
            places += 1
            try:
                text = workspace.line(place.group(1), int(place.group(2)))
            except (LookupError, OSError, UnicodeDecodeError) as error:
                mismatches.append(f"line {number}: {span}: {error}")
                continue
            if quote is not None:
                quotes += 1
                if quote not in text:
                    mismatches.append(f"line {number}: {span} does not hold {quote!r}")
            if is_first:
                # What follows in this item is its quote, whatever it looks like.
                break
    print(f"checked {places} places, {quotes} with a quote: {len(mismatches)} mismatches")
    for mismatch in mismatches:
        print(mismatch, file=sys.stderr)
    if places == 0:
        print("the report names no place at all", file=sys.stderr)
    sys.exit(1 if mismatches or places == 0 else 0)


if __name__ == "__main__":
    main()
