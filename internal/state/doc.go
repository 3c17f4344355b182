// Package state keeps a site's queryable rows in one SQLite file: objects (the
// documents of principals, datasets, runs, …), the places and wrapped keys of
// sealed segments, the rows of the ledger, and settings.
//
// Many processes may use one file at a time. Readers never wait. A writer takes
// the write lock at the start of its transaction (BEGIN IMMEDIATE), so that
// what it reads inside is still true when it commits, and a commit is on the
// disk when Update returns (WAL with synchronous=FULL).
//
// Nothing here is protected against somebody who writes to the file: package
// ledger vouches for objects and entries, package blob for segments. Settings
// are vouched for by nobody and must decide nothing.
package state
