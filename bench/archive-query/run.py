"""Reads many entries with the `ArchiveQuery` of the Python package nomad-lab as it comes, and tells how it was answered.

Exit code 1 when any request was refused or entries are missing. See README.md.
"""

import argparse
import bisect
import collections
import time

import httpx2

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument('--base', default='http://127.0.0.1:8000/api/v1')
parser.add_argument('--entries', type=int, default=1000, help='results_max')
parser.add_argument('--small', action='store_true', help='ask for formulas only, not for whole archives')
parser.add_argument('--plain', action='store_true', help='dictionaries, not Python objects')
parser.add_argument('--stall', type=float, default=0, help='seconds that this program sleeps now and then')
options = parser.parse_args()

sent: list[float] = []
statuses: collections.Counter = collections.Counter()
under_way = most_at_once = 0
post = httpx2.AsyncClient.post


async def counted(self, *args, **kwargs):
    """The same request, looked at."""
    global under_way, most_at_once
    if options.stall and len(sent) % 50 == 49:
        # Requests that are under way meanwhile are answered; those that may be sent add up.
        time.sleep(options.stall)
    sent.append(time.monotonic())
    under_way += 1
    most_at_once = max(most_at_once, under_way)
    try:
        response = await post(self, *args, **kwargs)
    finally:
        under_way -= 1
    statuses[response.status_code] += 1
    return response


httpx2.AsyncClient.post = counted

from nomad.client import ArchiveQuery  # noqa: E402

required = {'results': {'material': {'chemical_formula_hill': '*'}}} if options.small else None
query = ArchiveQuery(url=options.base, required=required, results_max=options.entries)
begin = time.monotonic()
found = query.fetch()
fetched = time.monotonic()
archives = query.download(as_plain_dict=options.plain)
end = time.monotonic()

most_a_second = max(bisect.bisect_left(sent, at + 1) - i for i, at in enumerate(sent))
print(f'found {found} entries in {fetched - begin:.1f} s, read {len(archives)} archives in {end - fetched:.1f} s')
print(f'{len(sent)} requests, at most {most_a_second} in a second and {most_at_once} at once; answers: {dict(statuses)}')
raise SystemExit(0 if set(statuses) == {200} and len(archives) == found > 0 else 1)
