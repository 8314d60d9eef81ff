"""Each archive's pages against those of the intact one, grouped by what is found."""
import collections
import json
import sys

pages = collections.defaultdict(dict)
for line in sys.stdin:
    d = json.loads(line)
    archive, page = d["id"].split(":", 1)[1].split(".warc#")
    pages[archive][page] = (d["text"], d.get("truncated"))
intact = pages["plain_+0"]
found = collections.defaultdict(list)
for archive, got in pages.items():
    same = sum(got.get(page) == intact[page] for page in intact)
    found[len(got), same, got.get("0-3", ("", "missing"))[1]].append(archive)
for (n, same, third), archives in sorted(found.items(), key=str):
    print("%d pages, %d of them as they were, the third %s:" % (n, same, third), *sorted(archives))
