// SPDX-License-Identifier: GPL-2.0
/*
 * sector_io - read and write sectors of a disk, and no others
 *
 *   sector_io read DISK SECTOR COUNT FILE    to FILE
 *   sector_io write DISK SECTOR COUNT FILE   from FILE
 *
 * By O_DIRECT: the page cache reads pages, of which a bad sector is a part only.
 * (busybox's dd has iflag=direct, and does without if its buffer is not aligned.)
 * What is written is durable when this ends.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR		512UL
#define MAX_SECTORS	8UL

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		err(2, "%s", path);
	return fd;
}

static void check(ssize_t done, size_t bytes, const char *path)
{
	if (done < 0)
		err(1, "%s", path);
	if ((size_t)done != bytes)
		errx(1, "%s: %zd of %zu bytes", path, done, bytes);
}

int main(int argc, char **argv)
{
	int writes = argc == 6 && !strcmp(argv[1], "write");
	size_t bytes = argc == 6 ? strtoul(argv[4], NULL, 0) * SECTOR : 0;
	char *buf = aligned_alloc(4096, MAX_SECTORS * SECTOR);
	int disk, file;
	off_t at;

	if (argc != 6 || (!writes && strcmp(argv[1], "read")) || !bytes ||
	    bytes > MAX_SECTORS * SECTOR)
		errx(2, "usage: %s read|write DISK SECTOR COUNT FILE, COUNT up to %lu",
		     argv[0], MAX_SECTORS);
	if (!buf)
		err(2, "4096 bytes");
	at = strtoul(argv[3], NULL, 0) * SECTOR;

	if (writes) {
		file = open_or_die(argv[5], O_RDONLY);
		check(read(file, buf, bytes), bytes, argv[5]);
		disk = open_or_die(argv[2], O_WRONLY | O_DIRECT | O_DSYNC);
		check(pwrite(disk, buf, bytes, at), bytes, argv[2]);
	} else {
		disk = open_or_die(argv[2], O_RDONLY | O_DIRECT);
		check(pread(disk, buf, bytes, at), bytes, argv[2]);
		file = open_or_die(argv[5], O_WRONLY | O_CREAT | O_TRUNC);
		check(write(file, buf, bytes), bytes, argv[5]);
	}
	return 0;
}
