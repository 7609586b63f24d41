// SPDX-License-Identifier: GPL-2.0
/*
 * dax_file - make, check and look at files on a DAX file system, and dax devices
 *
 *   dax_file check FILE              is FILE a DAX file that can be MAP_SYNC?
 *   dax_file write FILE BYTES SEED   fill FILE by write() and fsync()
 *   dax_file store FILE BYTES SEED   fill FILE by stores to a MAP_SYNC mapping
 *   dax_file verify FILE BYTES SEED  compare FILE, by read() and by mapping
 *   dax_file walk FILE CONTROL       touch a MAP_SYNC mapping of FILE and ask
 *                                    the module xen_pmem_pte about it
 *   dax_file device FILE BYTES SEED  fill a dax device by stores, compare it by
 *                                    another mapping
 *
 * The contents depend on SEED and the offset alone, so that a later boot can
 * check them without having kept anything.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK	65536UL

#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX	0x00200000
#endif

/* Word number n of the pattern: no two pages of a file are alike. */
static uint64_t pattern(uint64_t seed, uint64_t n)
{
	uint64_t x = (n + 1) * 0x9e3779b97f4a7c15ULL ^ (seed + 1) << 32;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ULL;
	return x ^ x >> 32;
}

static void fill(void *to, size_t bytes, uint64_t seed, uint64_t offset)
{
	uint64_t *word = to;
	size_t i;

	for (i = 0; i < bytes / 8; i++)
		word[i] = pattern(seed, offset / 8 + i);
}

static void compare(const char *how, const void *with, size_t bytes,
		    uint64_t seed, uint64_t offset)
{
	const uint64_t *word = with;
	size_t i;

	for (i = 0; i < bytes / 8; i++) {
		if (word[i] == pattern(seed, offset / 8 + i))
			continue;
		errx(1, "%s: offset %#lx is %#lx, expected %#lx", how,
		     (unsigned long)(offset + 8 * i), (unsigned long)word[i],
		     (unsigned long)pattern(seed, offset / 8 + i));
	}
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		err(1, "open %s", path);
	return fd;
}

static void *map_or_die(int fd, size_t bytes, int prot, int flags)
{
	void *map = mmap(NULL, bytes, prot, flags, fd, 0);

	if (map == MAP_FAILED)
		err(1, "mmap %zu bytes, flags %#x", bytes, flags);
	return map;
}

static size_t size_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		err(1, "fstat");
	return st.st_size;
}

static int do_check(const char *path)
{
	int fd = open_or_die(path, O_RDWR);
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &sx))
		err(1, "statx %s", path);
	if (!(sx.stx_attributes & STATX_ATTR_DAX))
		errx(1, "%s is not a DAX file, attributes %#llx", path,
		     (unsigned long long)sx.stx_attributes);
	map_or_die(fd, size_of(fd), PROT_READ | PROT_WRITE,
		   MAP_SHARED_VALIDATE | MAP_SYNC);
	return 0;
}

static int do_write(const char *path, size_t bytes, uint64_t seed)
{
	int fd = open_or_die(path, O_RDWR | O_CREAT | O_TRUNC);
	static uint64_t buf[CHUNK / 8];
	size_t at;

	for (at = 0; at < bytes; at += CHUNK) {
		fill(buf, CHUNK, seed, at);
		if (write(fd, buf, CHUNK) != CHUNK)
			err(1, "write %s at %zu", path, at);
	}
	if (fsync(fd))
		err(1, "fsync %s", path);
	return 0;
}

static int do_store(const char *path, size_t bytes, uint64_t seed)
{
	int fd = open_or_die(path, O_RDWR | O_CREAT | O_TRUNC);
	void *map;

	if (posix_fallocate(fd, 0, bytes))
		err(1, "fallocate %s", path);
	map = map_or_die(fd, bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED_VALIDATE | MAP_SYNC);
	fill(map, bytes, seed, 0);
	if (msync(map, bytes, MS_SYNC))
		err(1, "msync %s", path);
	return 0;
}

static int do_verify(const char *path, size_t bytes, uint64_t seed)
{
	int fd = open_or_die(path, O_RDONLY);
	static uint64_t buf[CHUNK / 8];
	size_t at;

	if (size_of(fd) != bytes)
		errx(1, "%s has %zu bytes, expected %zu", path, size_of(fd),
		     bytes);
	for (at = 0; at < bytes; at += CHUNK) {
		if (read(fd, buf, CHUNK) != CHUNK)
			err(1, "read %s at %zu", path, at);
		compare("read", buf, CHUNK, seed, at);
	}
	compare("mapping", map_or_die(fd, bytes, PROT_READ, MAP_SHARED), bytes,
		seed, 0);
	return 0;
}

static int do_device(const char *path, size_t bytes, uint64_t seed)
{
	int fd = open_or_die(path, O_RDWR);

	fill(map_or_die(fd, bytes, PROT_READ | PROT_WRITE, MAP_SHARED), bytes,
	     seed, 0);
	compare("mapping", map_or_die(fd, bytes, PROT_READ, MAP_SHARED), bytes,
		seed, 0);
	return 0;
}

static int do_walk(const char *path, const char *control)
{
	size_t page = sysconf(_SC_PAGESIZE), bytes, at;
	const int relaxed = __ATOMIC_RELAXED;
	int fd = open_or_die(path, O_RDWR);
	char line[256];
	ssize_t len;
	char *map;

	bytes = size_of(fd) / page * page;
	map = map_or_die(fd, bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED_VALIDATE | MAP_SYNC);
	for (at = 0; at < bytes; at += page)
		__atomic_store_n(map + at, __atomic_load_n(map + at, relaxed),
				 relaxed);

	fd = open_or_die(control, O_RDWR);
	len = snprintf(line, sizeof(line), "user %#lx %zu", (unsigned long)map,
		       bytes / page);
	if (write(fd, line, len) != len)
		err(1, "%s: %s", control, line);
	len = pread(fd, line, sizeof(line), 0);
	if (len <= 0)
		err(1, "read %s", control);
	return fwrite(line, 1, len, stdout) != (size_t)len;
}

int main(int argc, char **argv)
{
	size_t bytes = argc == 5 ? strtoul(argv[3], NULL, 0) : 0;
	uint64_t seed = argc == 5 ? strtoull(argv[4], NULL, 0) : 0;
	const char *cmd = argc > 2 ? argv[1] : "";

	if (argc == 3 && !strcmp(cmd, "check"))
		return do_check(argv[2]);
	if (argc == 4 && !strcmp(cmd, "walk"))
		return do_walk(argv[2], argv[3]);
	if (argc == 5 && (!bytes || bytes % CHUNK))
		errx(2, "BYTES is %s, expected a multiple of %lu", argv[3],
		     CHUNK);
	if (argc == 5 && !strcmp(cmd, "write"))
		return do_write(argv[2], bytes, seed);
	if (argc == 5 && !strcmp(cmd, "store"))
		return do_store(argv[2], bytes, seed);
	if (argc == 5 && !strcmp(cmd, "verify"))
		return do_verify(argv[2], bytes, seed);
	if (argc == 5 && !strcmp(cmd, "device"))
		return do_device(argv[2], bytes, seed);
	errx(2, "usage: %s check|write|store|verify|walk|device FILE [ARGUMENT...]",
	     argv[0]);
}
