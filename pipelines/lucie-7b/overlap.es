# Sites that other corpora have, of the pages in es.
es.wikipedia.org
europarl.europa.eu
op.europa.eu
