// SPDX-License-Identifier: GPL-2.0
/*
 * info_block - read and change the info block of a xen-mode namespace
 *
 *   info_block get FILE FIELD          print one field
 *   info_block set FILE FIELD VALUE    change one field, make the checksum right
 *   info_block check FILE              is there a block with a right checksum?
 *   info_block same FILE IMAGE         has FILE the bytes of IMAGE, all of them?
 *
 * FILE is a namespace or an image of one: the block stands at 4 KiB. VALUE is a
 * number, or for an array of bytes FIELD+N names one byte; get prints numbers as
 * signed ones, which is what shells know. The checksum itself is set as given.
 *
 * The offsets are those of the table in Documentation/driver-api/xen-pmem.rst and
 * are written out once more on purpose: this is the second reader of the format,
 * not a user of the driver's structures.
 */
#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_OFFSET	4096
#define BLOCK_SIZE	4096
#define EXT		0xe00
#define CHECKSUM	0xff8

struct field {
	const char *name;
	unsigned int offset;
	unsigned int size;	/* more than 8: an array of bytes */
};

static const struct field fields[] = {
	{ "signature", 0x00, 16 },
	{ "uuid", 0x10, 16 },
	{ "parent_uuid", 0x20, 16 },
	{ "flags", 0x30, 4 },
	{ "version_major", 0x34, 2 },
	{ "version_minor", 0x36, 2 },
	{ "dataoff", 0x38, 8 },
	{ "npfns", 0x40, 8 },
	{ "mode", 0x48, 4 },
	{ "start_pad", 0x4c, 4 },
	{ "end_trunc", 0x50, 4 },
	{ "align", 0x54, 4 },
	{ "page_size", 0x58, 4 },
	{ "page_struct_size", 0x5c, 2 },
	{ "padding0", 0x5e, 3490 },
	{ "ext.magic", EXT, 16 },
	{ "ext.version_major", EXT + 0x10, 2 },
	{ "ext.version_minor", EXT + 0x12, 2 },
	{ "ext.owner", EXT + 0x14, 4 },
	{ "ext.compat", EXT + 0x18, 8 },
	{ "ext.incompat", EXT + 0x20, 8 },
	{ "ext.rsv_start", EXT + 0x28, 8 },
	{ "ext.rsv_size", EXT + 0x30, 8 },
	{ "ext.data_start", EXT + 0x38, 8 },
	{ "ext.data_size", EXT + 0x40, 8 },
	{ "ext.page_info_size", EXT + 0x48, 2 },
	{ "ext.m2p_size", EXT + 0x4a, 2 },
	{ "ext.compat_m2p_size", EXT + 0x4c, 2 },
	{ "ext.reserved", EXT + 0x4e, 426 },
	{ "checksum", CHECKSUM, 8 },
	{ }
};

static uint8_t block[BLOCK_SIZE];

static unsigned long long load(const struct field *f)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = f->size; i--;)
		value = value << 8 | block[f->offset + i];
	return value;
}

static void store(const struct field *f, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < f->size; i++, value >>= 8)
		block[f->offset + i] = value;
}

/* Fletcher-64 over the 32-bit words of the block, the checksum taken as 0. */
static unsigned long long fletcher64(void)
{
	uint64_t lo = 0, hi = 0;
	unsigned int i;
	uint32_t word;

	for (i = 0; i < BLOCK_SIZE; i += sizeof(word)) {
		memcpy(&word, block + i, sizeof(word));
		if (i < CHECKSUM)
			lo = (uint32_t)(lo + le32toh(word));
		hi += lo;
	}
	return hi << 32 | lo;
}

/* The field called @name; "array+N" is one byte, kept in *@byte. */
static const struct field *find(const char *name, struct field *byte)
{
	size_t len = strcspn(name, "+");
	const struct field *f;
	unsigned long n;

	for (f = fields; f->name; f++)
		if (strlen(f->name) == len && !strncmp(f->name, name, len))
			break;
	if (!f->name)
		errx(2, "the info block has no field %s", name);
	if (!name[len])
		return f;

	n = strtoul(name + len + 1, NULL, 0);
	if (n >= f->size)
		errx(2, "%s has %u bytes, there is no byte %lu", f->name,
		     f->size, n);
	*byte = (struct field){ name, f->offset + n, 1 };
	return byte;
}

static void print(const struct field *f)
{
	unsigned int i;

	if (f->size <= 8) {
		printf("%lld\n", (long long)load(f));
		return;
	}
	for (i = 0; i < f->size; i++)
		printf("%02x", block[f->offset + i]);
	putchar('\n');
}

static size_t read_chunk(int fd, void *buf, size_t bytes)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < bytes && n > 0) {
		n = read(fd, buf + done, bytes - done);
		done += n > 0 ? n : 0;
	}
	if (n < 0)
		err(2, "read");
	return done;
}

static int same(const char *path, const char *image)
{
	static char one[1 << 20], two[1 << 20];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int image_fd = open(image, O_RDONLY | O_CLOEXEC);
	size_t n, i, at = 0;

	if (fd < 0 || image_fd < 0)
		err(2, "%s", fd < 0 ? path : image);
	do {
		n = read_chunk(image_fd, two, sizeof(two));
		if (read_chunk(fd, one, sizeof(one)) != n)
			errx(1, "%s and %s differ in size", path, image);
		if (memcmp(one, two, n)) {
			for (i = 0; one[i] == two[i]; i++)
				;
			errx(1, "%s differs from %s at %#zx", path, image,
			     at + i);
		}
		at += n;
	} while (n == sizeof(one));
	return 0;
}

int main(int argc, char **argv)
{
	const char *cmd = argc > 2 ? argv[1] : "";
	int set = argc == 5 && !strcmp(cmd, "set");
	int get = argc == 4 && !strcmp(cmd, "get");
	const struct field *f;
	struct field byte;
	int fd;

	if (argc == 4 && !strcmp(cmd, "same"))
		return same(argv[2], argv[3]);
	if (!set && !get && !(argc == 3 && !strcmp(cmd, "check")))
		errx(2, "usage: %s get|set|check|same FILE [ARGUMENT...]",
		     argv[0]);

	fd = open(argv[2], (set ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0 || pread(fd, block, BLOCK_SIZE, BLOCK_OFFSET) != BLOCK_SIZE)
		err(2, "%s: no 4 KiB at offset 4 KiB", argv[2]);

	f = find(set || get ? argv[3] : "checksum", &byte);
	if (!set && !get) {
		if (load(f) != fletcher64())
			errx(1, "%s: the checksum is %#llx, expected %#llx",
			     argv[2], load(f), fletcher64());
		return 0;
	}
	if (get) {
		print(f);
		return 0;
	}

	if (f->size > 8)
		errx(2, "%s is an array: name one byte, %s+N", f->name,
		     f->name);
	store(f, strtoull(argv[4], NULL, 0));
	if (f->offset != CHECKSUM)
		store(find("checksum", &byte), fletcher64());
	if (pwrite(fd, block, BLOCK_SIZE, BLOCK_OFFSET) != BLOCK_SIZE ||
	    fsync(fd))
		err(1, "%s: write", argv[2]);
	return 0;
}
