#!/usr/bin/env bash
# Guess, written down before this was run: the id of a query is a string like any other, and no measure looks into it.
#
# What happens: nDCG with exponential gains, `nDCG(dcg="exp-log2")@10`, is computed by TREC's Perl script gdeval, which
# takes the number after a hyphen for the id. The ids of NFCorpus, PLAIN-1 and so on, come back as 1 and so on, and each
# query that was judged gets a 0 under its whole name beside it: the mean is half of what it is, without an error or a
# warning. The same data with ids 1 and 2 give the right mean; nDCG with linear gains is right for both. (Ids without a
# number or a hyphen end with an error, which at least is seen.)
set -euo pipefail
command -v perl >/dev/null || { echo "perl is missing, which gdeval is written in"; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ir-measures==0.4.3 pytrec_eval-terrier==0.5.11
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import ir_measures
from ir_measures import nDCG

print("ir-measures", version("ir-measures"))
exponential, linear = nDCG(dcg="exp-log2") @ 10, nDCG @ 10
means = {}
for ids in (("1", "2"), ("PLAIN-1", "PLAIN-2")):
    qrels = [ir_measures.Qrel(id_, document, grade) for id_ in ids for document, grade in (("a", 2), ("b", 1))]
    run = [ir_measures.ScoredDoc(id_, document, score) for id_ in ids for document, score in (("b", 2.0), ("a", 1.0))]
    found = ir_measures.calc_aggregate([exponential, linear], qrels, run)
    each = {one.query_id: round(one.value, 3) for one in ir_measures.iter_calc([exponential], qrels, run)}
    print(f"ids {ids}: exponential gains {found[exponential]:.3f} (by query {each}), linear gains {found[linear]:.3f}")
    means[ids] = round(found[exponential], 3), round(found[linear], 3)
if means != {("1", "2"): (0.797, 0.86), ("PLAIN-1", "PLAIN-2"): (0.398, 0.86)}:
    sys.exit("the behaviour has changed")
PYTHON
