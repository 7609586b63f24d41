// SPDX-License-Identifier: GPL-2.0
/*
 * xen-pmem-block - make, change and show an info block in a file
 *
 *   xen-pmem-block create FILE start=N size=N rsv_size=N [uuid=HEX] [parent_uuid=HEX]
 *   xen-pmem-block set FILE FIELD=VALUE...      make the checksum right
 *   xen-pmem-block set -k FILE FIELD=VALUE...   keep the checksum as it is
 *   xen-pmem-block show FILE [START SIZE]       and with both, judge it
 *
 * FILE is a block of 4 KiB, or with "-o OFFSET" before FILE a larger file that
 * holds it there (4096 in a namespace). START is the physical address, SIZE the
 * bytes of the namespace. Numbers are decimal or 0x; of a field that is an array
 * VALUE is hexadecimal bytes for its beginning. create takes the record sizes of
 * a usual Xen: 32, 8 and 0 bytes.
 */
#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fields.h"

static struct xen_pmem_sb sb;
static off_t offset;
static bool keep;

static void die_usage(void)
{
	errx(2, "usage: xen-pmem-block create|set|show [-k] [-o OFFSET] FILE [NAME=VALUE...]");
}

static u64 to_number(const char *text)
{
	char *end;
	u64 value = strtoull(text, &end, 0);

	if (!*text || *end)
		errx(2, "'%s' is not a number", text);
	return value;
}

static void to_bytes(u8 *to, size_t size, const char *hex)
{
	unsigned int byte;
	size_t i;

	for (i = 0; *hex; hex++) {
		if (*hex == '-')
			continue;
		if (i == size || !isxdigit(hex[0]) || !isxdigit(hex[1]) ||
		    sscanf(hex, "%2x", &byte) != 1)
			errx(2, "'%s' is not %zu or fewer hexadecimal bytes",
			     hex, size);
		to[i++] = byte;
		hex++;
	}
}

static void load(const char *file)
{
	int fd = open(file, O_RDONLY);

	if (fd < 0 || pread(fd, &sb, sizeof(sb), offset) != sizeof(sb))
		err(1, "%s: cannot read 4096 bytes", file);
	close(fd);
}

static void store(const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT, 0644);

	if (fd < 0 || pwrite(fd, &sb, sizeof(sb), offset) != sizeof(sb) ||
	    close(fd))
		err(1, "%s: cannot write 4096 bytes", file);
}

/* Splits NAME=VALUE in place. */
static char *value_of(char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		errx(2, "'%s' is not NAME=VALUE", word);
	*value = 0;
	return value + 1;
}

static int do_create(const char *file, char **words)
{
	struct xen_pmem_info info = { .uuid = { 1 }, .rec = { 32, 8, 0 } };
	struct xen_pmem_ns ns = { 0 };
	u64 rsv_size = 0;

	for (; *words; words++) {
		const char *value = value_of(*words);

		if (!strcmp(*words, "start"))
			ns.start = to_number(value);
		else if (!strcmp(*words, "size"))
			ns.size = to_number(value);
		else if (!strcmp(*words, "rsv_size"))
			rsv_size = to_number(value);
		else if (!strcmp(*words, "uuid"))
			to_bytes(info.uuid, sizeof(info.uuid), value);
		else if (!strcmp(*words, "parent_uuid"))
			to_bytes(ns.uuid, sizeof(ns.uuid), value);
		else
			errx(2, "create: what is '%s'?", *words);
	}
	if (xen_pmem_layout(&ns, rsv_size, &info.geo))
		errx(1, "%llu bytes are too small for %llu reserved and 16 MiB of data",
		     ns.size, rsv_size);
	xen_pmem_sb_build(&sb, &ns, &info);
	store(file);
	return 0;
}

static int do_set(const char *file, char **words)
{
	load(file);
	for (; *words; words++) {
		const char *value = value_of(*words);
		const struct field *f = field_by_name(*words);

		if (!f)
			errx(2, "set: there is no field '%s'", *words);
		if (f->size > 8)
			to_bytes((u8 *)&sb + f->offset, f->size, value);
		else
			field_set(&sb, f, to_number(value));
	}
	if (!keep)
		field_set(&sb, field_by_name("checksum"),
			  xen_pmem_sb_checksum(&sb));
	store(file);
	return 0;
}

static void show_field(const struct field *f)
{
	const u8 *byte = (const u8 *)&sb + f->offset;
	unsigned int i, used = f->size;

	if (f->size <= 8) {
		printf("%s=%#llx\n", f->name, field_get(&sb, f));
		return;
	}
	while (used > 1 && !byte[used - 1])
		used--;
	printf("%s=", f->name);
	for (i = 0; i < used; i++)
		printf("%02x", byte[i]);
	putchar('\n');
}

static int judge(char **words)
{
	struct xen_pmem_ns ns = { to_number(words[0]), to_number(words[1]), { 0 } };
	struct xen_pmem_info info;
	struct xen_pmem_diag diag;
	int rc;

	memcpy(ns.uuid, sb.parent_uuid, sizeof(ns.uuid));
	rc = xen_pmem_sb_parse(&sb, &ns, &info, &diag);
	if (!rc)
		puts("verdict=good");
	else if (!diag.field)
		puts("verdict=foreign");
	else
		printf("verdict=bad field %s is %s, expected %s\n", diag.field,
		       diag.found, diag.expected);
	return rc ? 1 : 0;
}

static int show(const char *file, char **words)
{
	const struct field *f;

	load(file);
	for (f = fields; f->name; f++)
		show_field(f);
	printf("checksum_expected=%#llx\n", xen_pmem_sb_checksum(&sb));
	if (!words[0])
		return 0;
	if (!words[1] || words[2])
		die_usage();
	return judge(words);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int opt;

	optind = 2;
	while ((opt = getopt(argc, argv, "+ko:")) != -1) {
		if (opt == 'k')
			keep = true;
		else if (opt == 'o')
			offset = to_number(optarg);
		else
			die_usage();
	}
	if (optind >= argc)
		die_usage();
	if (!strcmp(verb, "create"))
		return do_create(argv[optind], argv + optind + 1);
	if (!strcmp(verb, "set"))
		return do_set(argv[optind], argv + optind + 1);
	if (!strcmp(verb, "show"))
		return show(argv[optind], argv + optind + 1);
	die_usage();
}
