#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# domu-db new|again: in a domU with a file system on /mnt, a database of SQLite and a file
# of fio's. "again": what the domU before wrote is looked at, and how many rows there are
# is told. Then rows are added until this domU is no more. Each is a transaction, and told
# when SQLite says that it is durable: none of those may be missing in the next domU.

DB=/mnt/db

fail()
{
	echo "domu-db: $1"
	exit 1
}

sql()
{
	sqlite3 -batch -bail "$DB" "$@"
}

# fio_file WORD...: a file with checksums in it.
fio_file()
{
	fio --name=verified --directory=/mnt --ioengine=mmap --size=8M --bs=4k \
		--rw=randwrite --thread --verify=crc32c --verify_fatal=1 --randseed=7 "$@"
}

# With a write-ahead log and this, a transaction is durable when it returns.
make_db()
{
	sql "PRAGMA journal_mode=WAL;
		CREATE TABLE log(n INTEGER PRIMARY KEY, data BLOB, sum BLOB);"
}

check_db()
{
	[ "$(sql 'PRAGMA integrity_check')" = ok ] || fail "the database is damaged"
	[ "$(sql 'SELECT count(*) FROM log WHERE sum <> sha3(data)')" = 0 ] ||
		fail "rows have changed"
	[ "$(sql 'SELECT count(*) = max(n) FROM log')" = 1 ] || fail "rows are missing"
	echo "domu-db: rows $(sql 'SELECT max(n) FROM log')"
}

add_rows()
{
	{
		echo "PRAGMA synchronous=FULL;"
		yes "BEGIN; INSERT INTO log(data) VALUES(randomblob(2000));" \
			"UPDATE log SET sum = sha3(data) WHERE n = last_insert_rowid(); COMMIT;" \
			"SELECT 'domu-db: durable ' || max(n) FROM log;"
	} | sql
}

case $1 in
new)	fio_file --do_verify=1 --fsync=64 || fail "fio cannot verify what it wrote"
	make_db || fail "there is no database" ;;
again)	check_db
	fio_file --verify_only=1 || fail "fio's file has changed" ;;
esac
add_rows
fail "SQLite ended"
