-- Every durable thing: one document under (kind, id), with the number of the
-- ledger entry that vouches for it. The entry number is the row's own number,
-- so that objects come in the order of the ledger without being sorted.
CREATE TABLE object (
  entry INTEGER PRIMARY KEY,
  kind  TEXT NOT NULL,
  id    TEXT NOT NULL,
  salt  BLOB NOT NULL,
  doc   BLOB NOT NULL,
  UNIQUE (kind, id)
) STRICT;
CREATE INDEX object_kind ON object (kind);

-- Where sealed segments lie. AUTOINCREMENT because a version that still names
-- a destroyed segment must never find another in its place.
CREATE TABLE segment (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  pack  TEXT    NOT NULL,
  off   INTEGER NOT NULL,
  len   INTEGER NOT NULL,
  ring  TEXT    NOT NULL,
  epoch INTEGER NOT NULL,
  key   BLOB    NOT NULL
) STRICT;
CREATE INDEX segment_pack ON segment (pack);

-- The ledger: a leaf, and before it the hashes that the leaf completes (its
-- own first, then one for each subtree that ends with it), 32 bytes each.
-- They stand first so that reading one does not read a long leaf.
CREATE TABLE entry (
  n      INTEGER PRIMARY KEY CHECK (n >= 0),
  hashes BLOB NOT NULL,
  leaf   BLOB NOT NULL
) STRICT;

CREATE TABLE checkpoint (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  note BLOB NOT NULL
) STRICT;

CREATE TABLE setting (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
