#!/usr/bin/env bash
# Guess, written down before this was run: within the first ten places RR and RR@10 of ir_measures are the same number.
# Where scores are equal, both put the documents into the same order.
#
# What happens: RR is computed by trec_eval, which puts equal scores in descending order of the document's id; RR@10 by
# the MS MARCO script, which puts them in ascending order. For three documents of one score RR is 1/3 and RR@10 is 1, so
# that the measure with the cut is above the one without. Runs with whole-number grades from a language model are full of
# such ties. It does not depend on the order of the lines.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ir-measures==0.4.3 pytrec_eval-terrier==0.5.11
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import ir_measures
from ir_measures import RR

print("ir-measures", version("ir-measures"), "pytrec_eval-terrier", version("pytrec_eval-terrier"))
seen = {}
for relevant in "abc":
    qrels = [ir_measures.Qrel("1", relevant, 1)]
    for order in ("abc", "cba"):
        run = [ir_measures.ScoredDoc("1", document, 7.0) for document in order]
        found = ir_measures.calc_aggregate([RR, RR @ 10], qrels, run)
        print(f"relevant: {relevant}; lines: {' '.join(order)}; equal scores; RR {found[RR]:.3f}, RR@10 {found[RR @ 10]:.3f}")
        seen[relevant, order] = round(found[RR], 3), round(found[RR @ 10], 3)
expected = {"a": (0.333, 1.0), "b": (0.5, 0.5), "c": (1.0, 0.333)}
if seen != {(relevant, order): expected[relevant] for relevant in "abc" for order in ("abc", "cba")}:
    sys.exit("the behaviour has changed")
PYTHON
