"""Reads a tab-separated file by pandas with default options: what scripts/bench compares the dataset norms with.

Usage: python -m bench.pandas_read FILE.tsv    prints JSON: CPU seconds, peak memory in bytes, and the number of rows
"""

import json
import resource
import sys
import time

import pandas

begin = time.process_time()
frame = pandas.read_csv(sys.argv[1], sep="\t")
seconds = time.process_time() - begin
print(json.dumps({"open": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                  "documents": len(frame)}))
