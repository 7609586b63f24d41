// SPDX-License-Identifier: GPL-2.0
/* Tests of the info block: parse, build, lay out. TAP on stdout. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fields.h"

#define MIB 0x100000ull
#define GIB 0x40000000ull
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The worked example of Documentation/driver-api/xen-pmem.rst. */
static const struct xen_pmem_ns example = { 5 * GIB, GIB, { 0 } };
static const struct xen_pmem_info example_info = {
	.uuid = { 0x7f, 0x2c, 0x0a, 0x3e },
	.geo = { 2 * MIB, 10 * MIB, 16 * MIB, 1008 * MIB },
	.rec = { 32, 8, 0 },
};

static unsigned int tests, failures;

static bool ok(bool good, const char *fmt, ...)
{
	va_list args;

	printf("%sok %u - ", good ? "" : "not ", ++tests);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	failures += !good;
	return good;
}

static void note_diag(int rc, const struct xen_pmem_diag *diag)
{
	printf("# rc %d field %s found '%s' expected '%s' remedy %d\n", rc,
	       diag->field ? diag->field : "-", diag->found, diag->expected,
	       diag->remedy);
}

static void refresh(struct xen_pmem_sb *sb)
{
	field_set(sb, field_by_name("checksum"), xen_pmem_sb_checksum(sb));
}

static struct xen_pmem_sb valid(void)
{
	struct xen_pmem_sb sb;

	xen_pmem_sb_build(&sb, &example, &example_info);
	return sb;
}

static int parse(struct xen_pmem_sb *sb, struct xen_pmem_diag *diag)
{
	struct xen_pmem_info info;

	return xen_pmem_sb_parse(sb, &example, &info, diag);
}

/* --- the format ----------------------------------------------------------- */

static void test_fields_cover_block(void)
{
	const struct field *f;
	unsigned int next = 0;

	for (f = fields; f->name; next = f->offset + f->size, f++)
		if (f->offset != next)
			break;
	ok(!f->name && next == XEN_PMEM_SB_SIZE,
	   "the fields cover the block without a gap");
}

static void test_documented_bytes(void)
{
	struct xen_pmem_sb sb = valid();
	const u8 *b = (const u8 *)&sb;

	ok(!memcmp(b, "NVDIMM_PFN_INFO", 16) && b[0x34] == 1 && b[0x36] == 4 &&
	   b[0x3b] == 1 && b[0x48] == 2 && b[0x56] == 0x20 &&
	   b[0x5b] == 0x40 && b[0x5c] == 1 &&
	   !memcmp(b + 0xe00, "XEN_PMEM_RESERVE", 16) && b[0xe10] == 1 &&
	   b[0xe14] == 1 && b[0xe2a] == 0x20 && b[0xe48] == 32 &&
	   b[0xe4a] == 8, "bytes stand where the documentation says");
	ok(field_get(&sb, field_by_name("npfns")) == 0x3f000 &&
	   field_get(&sb, field_by_name("dataoff")) == 0x1000000,
	   "the worked example of the documentation");
}

static void test_checksum(void)
{
	struct xen_pmem_sb sb;

	memset(&sb, 0, sizeof(sb));
	ok(xen_pmem_sb_checksum(&sb) == 0, "checksum of zeroes");
	((u8 *)&sb)[0] = 1;
	ok(xen_pmem_sb_checksum(&sb) == (1024ull << 32 | 1),
	   "checksum of a single 1");
	memset(&sb, 0xff, 8);
	memset(&sb.checksum, 0xff, sizeof(sb.checksum));
	/* lo: ffffffff, fffffffe; hi: ffffffff + 1023 * fffffffe */
	ok(xen_pmem_sb_checksum(&sb) == 0xfffff801fffffffeull,
	   "checksum wraps at 32 bits and leaves itself out");
	ok(sb.checksum == (__le64)~0ull, "and does not change the block");
}

/* --- round trips ---------------------------------------------------------- */

static bool round_trip(const struct xen_pmem_ns *ns, u64 rsv_size)
{
	struct xen_pmem_info in = { .uuid = { 9 }, .rec = { 48, 8, 4 } }, out;
	struct xen_pmem_diag diag;
	struct xen_pmem_sb sb;
	int rc;

	if (xen_pmem_layout(ns, rsv_size, &in.geo))
		return false;
	xen_pmem_sb_build(&sb, ns, &in);
	memset(&out, 0, sizeof(out));
	rc = xen_pmem_sb_parse(&sb, ns, &out, &diag);
	if (rc)
		note_diag(rc, &diag);
	return !rc && !diag.field && !memcmp(&in.uuid, &out.uuid, 16) &&
	       !memcmp(&in.geo, &out.geo, sizeof(in.geo)) &&
	       !memcmp(&in.rec, &out.rec, sizeof(in.rec));
}

static void test_round_trips(void)
{
	static const struct xen_pmem_ns list[] = {
		{ 5 * GIB, GIB, { 0 } },
		{ 5 * GIB, GIB, { 1, 2, 3 } },
		{ 4 * GIB + 2 * MIB, 48 * MIB, { 0 } },
		{ 4 * GIB + 0x1000, 512 * MIB, { 0 } },
		{ 4 * GIB + 2 * MIB - 0x1000, 512 * MIB + 0x3000, { 0 } },
		{ 1ull << 45, 1ull << 44, { 0xff } },
		{ 0, 64 * MIB, { 0 } },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(list); i++)
		ok(round_trip(&list[i], 10 * MIB),
		   "round trip at %#llx, %#llx bytes", list[i].start,
		   list[i].size);
}

/* --- corruption ----------------------------------------------------------- */

struct bad {
	const char *field;
	u64 value;
	const char *blamed;	/* field of the diagnosis, NULL: accepted */
	enum xen_pmem_remedy remedy;
};

#define PROVISION XEN_PMEM_REMEDY_PROVISION
#define DRIVER XEN_PMEM_REMEDY_DRIVER
#define OWNER XEN_PMEM_REMEDY_OWNER

/* With the checksum made right again. */
static const struct bad bad[] = {
	{ "signature", 0x5844, "signature", PROVISION },
	{ "signature", 0, "signature", PROVISION },
	{ "uuid", 0, "uuid", PROVISION },
	{ "uuid", 77, NULL, PROVISION },
	{ "parent_uuid", 1, "parent_uuid", PROVISION },
	{ "flags", 1, "flags", PROVISION },
	{ "flags", 0xdeadbeef, "flags", PROVISION },
	{ "version_major", 0, "version_major", PROVISION },
	{ "version_major", 2, "version_major", PROVISION },
	{ "version_minor", 3, "version_minor", PROVISION },
	{ "version_minor", 5, "version_minor", PROVISION },
	{ "dataoff", 0, "dataoff", PROVISION },
	{ "dataoff", 32 * MIB, "dataoff", PROVISION },
	{ "npfns", 0, "npfns", PROVISION },
	{ "npfns", 0x3f001, "npfns", PROVISION },
	{ "npfns", ~0ull, "npfns", PROVISION },
	{ "mode", 0, "mode", PROVISION },
	{ "mode", 1, "mode", PROVISION },
	{ "mode", 3, "mode", PROVISION },
	{ "start_pad", 0x1000, "start_pad", PROVISION },
	{ "end_trunc", 1, "end_trunc", PROVISION },
	{ "end_trunc", 0xffffffff, "end_trunc", PROVISION },
	{ "align", 0, "align", PROVISION },
	{ "align", 0x1000, "align", PROVISION },
	{ "align", GIB, "align", PROVISION },
	{ "page_size", 0x1000, "page_size", PROVISION },
	{ "page_struct_size", 0, "page_struct_size", PROVISION },
	{ "page_struct_size", 64, "page_struct_size", PROVISION },
	{ "padding0", 1, "padding0", PROVISION },
	{ "ext.magic", 0, "ext.magic", PROVISION },
	{ "ext.version_major", 0, "ext.version_major", DRIVER },
	{ "ext.version_major", 2, "ext.version_major", DRIVER },
	{ "ext.version_minor", 1, NULL, PROVISION },
	{ "ext.version_minor", 0xffff, NULL, PROVISION },
	{ "ext.owner", 0, "ext.owner", OWNER },
	{ "ext.owner", 2, "ext.owner", OWNER },
	{ "ext.compat", 1, NULL, PROVISION },
	{ "ext.compat", ~0ull, NULL, PROVISION },
	{ "ext.incompat", 1, "ext.incompat", DRIVER },
	{ "ext.incompat", 1ull << 63, "ext.incompat", DRIVER },
	{ "ext.rsv_start", 0, "ext.rsv_start", PROVISION },
	{ "ext.rsv_start", 0x2000, "ext.rsv_start", PROVISION },
	{ "ext.rsv_start", 8 * MIB, "ext.rsv_start", PROVISION },
	{ "ext.rsv_start", 2 * GIB, "ext.rsv_start", PROVISION },
	{ "ext.rsv_start", -(2 * MIB), "ext.rsv_start", PROVISION },
	{ "ext.rsv_size", 0, "ext.rsv_size", PROVISION },
	{ "ext.rsv_size", 0x1000, "ext.rsv_size", PROVISION },
	{ "ext.rsv_size", 16 * MIB, "ext.rsv_size", PROVISION },
	{ "ext.rsv_size", 14 * MIB, NULL, PROVISION },
	{ "ext.rsv_size", -(2 * MIB), "ext.rsv_size", PROVISION },
	{ "ext.data_start", 0, "ext.data_start", PROVISION },
	{ "ext.data_start", 12 * MIB, "ext.data_start", PROVISION },
	{ "ext.data_start", 32 * MIB, "ext.data_start", PROVISION },
	{ "ext.data_start", GIB, "ext.data_start", PROVISION },
	{ "ext.data_start", -(16 * MIB), "ext.data_start", PROVISION },
	{ "ext.data_size", 0, "ext.data_size", PROVISION },
	{ "ext.data_size", 992 * MIB, "ext.data_size", PROVISION },
	{ "ext.data_size", GIB, "ext.data_size", PROVISION },
	{ "ext.data_size", 0x1000, "ext.data_size", PROVISION },
	{ "ext.data_size", -(16 * MIB), "ext.data_size", PROVISION },
	{ "ext.page_info_size", 0, "ext.page_info_size", PROVISION },
	{ "ext.page_info_size", 48, NULL, PROVISION },
	{ "ext.m2p_size", 0, "ext.m2p_size", PROVISION },
	{ "ext.m2p_size", 4, NULL, PROVISION },
	{ "ext.compat_m2p_size", 4, NULL, PROVISION },
	{ "ext.reserved", 1, "ext.reserved", PROVISION },
};

static bool blames(int rc, const struct xen_pmem_diag *diag,
		   const struct bad *b)
{
	if (!b->blamed)
		return !rc && !diag->field;
	return rc == -EOPNOTSUPP && diag->field &&
	       !strcmp(diag->field, b->blamed) && diag->found[0] &&
	       diag->expected[0] && strcmp(diag->found, diag->expected) &&
	       diag->remedy == b->remedy;
}

static void test_bad_field(const struct bad *b)
{
	const struct field *f = field_by_name(b->field);
	struct xen_pmem_sb sb = valid();
	struct xen_pmem_diag diag;
	int rc;

	field_set(&sb, f, b->value);
	rc = parse(&sb, &diag);
	if (!ok(rc == -ENODEV && diag.field && !strcmp(diag.field, "checksum") &&
		diag.remedy == XEN_PMEM_REMEDY_IGNORED,
		"%s=%#llx, checksum not made right: not ours, one line",
		b->field, b->value) &&
	    strcmp(b->field, "ext.magic"))
		note_diag(rc, &diag);

	refresh(&sb);
	rc = parse(&sb, &diag);
	if (!ok(blames(rc, &diag, b), "%s=%#llx: %s %s", b->field, b->value,
		b->blamed ? "refused for" : "accepted",
		b->blamed ? b->blamed : ""))
		note_diag(rc, &diag);
}

/* Without the magic nothing says that a bad checksum could be worth a line. */
static void test_bad_magic(const struct bad *b)
{
	struct xen_pmem_sb sb = valid();
	struct xen_pmem_diag diag;
	int rc;

	field_set(&sb, field_by_name("ext.magic"), 0);
	rc = parse(&sb, &diag);
	ok(rc == -ENODEV && !diag.field,
	   "no magic, checksum not made right: not ours, silently");
	refresh(&sb);
	rc = parse(&sb, &diag);
	ok(blames(rc, &diag, b), "no magic, both trip wires: ours and refused");
}

static void test_bad_fields(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (strcmp(bad[i].field, "ext.magic"))
			test_bad_field(&bad[i]);
		else
			test_bad_magic(&bad[i]);
}

/* Every field but the checksum is in the list above. */
static void test_all_fields_listed(void)
{
	const struct field *f;
	size_t i;

	for (f = fields; strcmp(f->name, "checksum"); f++) {
		for (i = 0; i < ARRAY_SIZE(bad); i++)
			if (!strcmp(bad[i].field, f->name))
				break;
		ok(i < ARRAY_SIZE(bad), "%s is corrupted alone", f->name);
	}
}

/* Of two wrong fields the one is blamed that says who may judge the other. */
static void test_who_may_judge(void)
{
	static const struct bad list[] = {
		{ "ext.version_major", 7, "ext.owner", OWNER },
		{ "ext.incompat", 7, "ext.owner", OWNER },
		{ "flags", 7, "ext.owner", OWNER },
		{ "flags", 7, "ext.version_major", DRIVER },
		{ "align", 7, "ext.incompat", DRIVER },
	};
	struct xen_pmem_diag diag;
	size_t i;
	int rc;

	for (i = 0; i < ARRAY_SIZE(list); i++) {
		struct xen_pmem_sb sb = valid();

		field_set(&sb, field_by_name(list[i].field), list[i].value);
		field_set(&sb, field_by_name(list[i].blamed), 7);
		refresh(&sb);
		rc = parse(&sb, &diag);
		if (!ok(blames(rc, &diag, &list[i]), "%s and %s: refused for %s",
			list[i].field, list[i].blamed, list[i].blamed))
			note_diag(rc, &diag);
	}
}

static void test_uuid_texts(void)
{
	struct xen_pmem_sb sb = valid();
	struct xen_pmem_diag diag;

	field_set(&sb, field_by_name("parent_uuid"), 0x8877665544332211);
	refresh(&sb);
	ok(parse(&sb, &diag) == -EOPNOTSUPP &&
	   !strcmp(diag.found, "11223344-5566-7788-0000-000000000000") &&
	   !strcmp(diag.expected, "00000000-0000-0000-0000-000000000000"),
	   "the uuid that was found, and the one that was expected");
}

static void test_last_bytes_of_padding(void)
{
	static const char * const names[] = { "padding0", "ext.reserved" };
	struct xen_pmem_diag diag;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const struct field *f = field_by_name(names[i]);
		struct xen_pmem_sb sb = valid();

		((u8 *)&sb)[f->offset + f->size - 1] = 0x80;
		refresh(&sb);
		ok(parse(&sb, &diag) == -EOPNOTSUPP &&
		   !strcmp(diag.field, names[i]), "last byte of %s", names[i]);
	}
}

static void flip(struct xen_pmem_sb *sb, unsigned int bit)
{
	((u8 *)sb)[bit / 8] ^= 1 << bit % 8;
}

static void test_bit_flips(void)
{
	unsigned int bit, accepted = 0, other = 0;
	struct xen_pmem_sb sb = valid();
	struct xen_pmem_diag diag;
	int rc;

	for (bit = 0; bit < 8 * sizeof(sb); bit++) {
		flip(&sb, bit);
		rc = parse(&sb, &diag);
		accepted += !rc;
		other += rc != -ENODEV;
		flip(&sb, bit);
	}
	ok(!accepted, "of %u single-bit flips %u were accepted", bit, accepted);
	ok(!other, "all of them are no block of ours");
	ok(!parse(&sb, &diag), "and without a flip it is accepted");
}

/* Fields of which another value may be as good. */
static bool is_free(const char *name)
{
	return !strcmp(name, "uuid") || !strcmp(name, "ext.version_minor") ||
	       !strcmp(name, "ext.compat") || !strcmp(name, "ext.rsv_size") ||
	       strstr(name, "info_size") || strstr(name, "m2p_size");
}

static void test_signed_bit_flips(void)
{
	unsigned int bit, accepted = 0, silent = 0;
	struct xen_pmem_sb sb = valid();
	struct xen_pmem_diag diag;
	int rc;

	for (bit = 0; bit < 8 * offsetof(struct xen_pmem_sb, checksum); bit++) {
		flip(&sb, bit);
		refresh(&sb);
		rc = parse(&sb, &diag);
		accepted += !rc && !is_free(field_at(bit / 8)->name);
		silent += rc && !diag.field;
		flip(&sb, bit);
	}
	ok(!accepted,
	   "of the flips with a right checksum %u were accepted that must not",
	   accepted);
	ok(!silent, "and of those refused all have a diagnosis");
}

/* --- whose is it? --------------------------------------------------------- */

static void check_foreign(const char *name, struct xen_pmem_sb *sb)
{
	struct xen_pmem_diag diag;
	int rc = parse(sb, &diag);

	if (!ok(rc == -ENODEV && !diag.field, "foreign: %s", name))
		note_diag(rc, &diag);
}

static void test_foreign(void)
{
	struct xen_pmem_sb sb;
	unsigned int seed, i;

	memset(&sb, 0, sizeof(sb));
	check_foreign("blank", &sb);
	memset(&sb, 0xff, sizeof(sb));
	check_foreign("all ones", &sb);
	for (seed = 0; seed < 4; seed++) {
		srand(seed);
		for (i = 0; i < sizeof(sb); i++)
			((u8 *)&sb)[i] = rand();
		check_foreign("noise", &sb);
	}
	sb = valid();
	memset(&sb.ext, 0, sizeof(sb.ext));
	field_set(&sb, field_by_name("page_size"), 4096);
	field_set(&sb, field_by_name("page_struct_size"), 64);
	refresh(&sb);
	check_foreign("a stock pfn block", &sb);
	memcpy(sb.signature, "NVDIMM_DAX_INFO", 16);
	refresh(&sb);
	check_foreign("a stock dax block", &sb);
	field_set(&sb, field_by_name("page_size"), GIB);
	field_set(&sb, field_by_name("page_struct_size"), 1);
	refresh(&sb);
	check_foreign("a dax block with both wires", &sb);
	memcpy(sb.signature, "NVDIMM_PFN_INFO", 16);
	field_set(&sb, field_by_name("page_struct_size"), 64);
	refresh(&sb);
	check_foreign("a pfn block with one wire", &sb);
	field_set(&sb, field_by_name("page_struct_size"), 1);
	field_set(&sb, field_by_name("page_size"), 0x10000);
	refresh(&sb);
	check_foreign("a pfn block with the other wire", &sb);
	field_set(&sb, field_by_name("page_size"), GIB);
	check_foreign("both wires and a bad checksum", &sb);
}

static void test_other_namespace(void)
{
	static const struct {
		struct xen_pmem_ns ns;
		const char *blamed, *why;
	} list[] = {
		{ { 5 * GIB, GIB + 16 * MIB, { 0 } }, "ext.data_size", "grown" },
		{ { 5 * GIB, GIB - 2 * MIB, { 0 } }, "ext.data_size", "shrunk" },
		{ { 5 * GIB, 16 * MIB, { 0 } }, "ext.rsv_size", "tiny" },
		{ { 5 * GIB + 2 * MIB, GIB, { 0 } }, "ext.rsv_size", "moved" },
		{ { 5 * GIB + 0x1000, GIB, { 0 } }, "ext.rsv_size",
		  "moved by a page" },
		{ { 5 * GIB, GIB, { 5 } }, "parent_uuid", "labelled" },
	};
	struct xen_pmem_sb sb = valid();
	struct xen_pmem_info info;
	struct xen_pmem_diag diag;
	size_t i;
	int rc;

	for (i = 0; i < ARRAY_SIZE(list); i++) {
		rc = xen_pmem_sb_parse(&sb, &list[i].ns, &info, &diag);
		if (!ok(rc == -EOPNOTSUPP && diag.field &&
			!strcmp(diag.field, list[i].blamed),
			"the block on a namespace that was %s", list[i].why))
			note_diag(rc, &diag);
	}
}

/* --- geometry ------------------------------------------------------------- */

static bool layout_is_sound(const struct xen_pmem_ns *ns, u64 rsv_size,
			    const struct xen_pmem_geometry *geo)
{
	u64 rsv = ns->start + geo->rsv_start, data = ns->start + geo->data_start;

	return geo->rsv_start >= XEN_PMEM_HEADER_SIZE &&
	       geo->rsv_size == rsv_size && !(rsv % (2 * MIB)) &&
	       rsv - ns->start < XEN_PMEM_HEADER_SIZE + 2 * MIB &&
	       !(data % (16 * MIB)) && data >= rsv + rsv_size &&
	       data - rsv - rsv_size < 16 * MIB && geo->data_size &&
	       !(geo->data_size % (16 * MIB)) &&
	       data + geo->data_size <= ns->start + ns->size &&
	       ns->size - geo->data_start - geo->data_size < 16 * MIB;
}

static void test_layout_sweep(void)
{
	unsigned int bad_ones = 0, fits = 0, small = 0;
	struct xen_pmem_geometry geo;
	struct xen_pmem_ns ns = { 0 };
	u64 start, size, rsv;

	for (start = 0; start < 20 * MIB; start += 0x7f000)
		for (size = 0; size < 80 * MIB; size += 0x3ff000)
			for (rsv = 2 * MIB; rsv < 40 * MIB; rsv += 2 * MIB) {
				ns.start = 4 * GIB + start;
				ns.size = size;
				if (xen_pmem_layout(&ns, rsv, &geo)) {
					small++;
					continue;
				}
				fits++;
				bad_ones += !layout_is_sound(&ns, rsv, &geo);
			}
	ok(fits > 1000 && small > 1000 && !bad_ones,
	   "of %u layouts %u are not sound (%u do not fit)", fits, bad_ones,
	   small);
}

static void test_layout_edges(void)
{
	static const struct {
		struct xen_pmem_ns ns;
		u64 rsv_size;
		int rc;
	} list[] = {
		/* header to 2 MiB, reserved to 16 MiB, data to 32 MiB */
		{ { 4 * GIB, 32 * MIB, { 0 } }, 14 * MIB, 0 },
		{ { 4 * GIB, 32 * MIB - 0x1000, { 0 } }, 14 * MIB, -ENOSPC },
		{ { 4 * GIB, 32 * MIB, { 0 } }, 16 * MIB, -ENOSPC },
		{ { 4 * GIB, 0, { 0 } }, 2 * MIB, -ENOSPC },
		{ { 4 * GIB, 0x1000, { 0 } }, 2 * MIB, -ENOSPC },
		{ { 4 * GIB, GIB, { 0 } }, -(2 * MIB), -ENOSPC },
		{ { 4 * GIB, GIB, { 0 } }, 2 * GIB, -ENOSPC },
		{ { -(2 * MIB), 64 * MIB, { 0 } }, 2 * MIB, -ENOSPC },
		{ { -(64 * MIB), 64 * MIB, { 0 } }, 2 * MIB, -ENOSPC },
		{ { -(128 * MIB), 64 * MIB, { 0 } }, 2 * MIB, 0 },
		{ { ~0ull, ~0ull, { 0 } }, 2 * MIB, -ENOSPC },
		{ { ~0ull, 0, { 0 } }, 2 * MIB, -ENOSPC },
	};
	struct xen_pmem_geometry geo;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(list); i++)
		ok(xen_pmem_layout(&list[i].ns, list[i].rsv_size, &geo) ==
		   list[i].rc,
		   "layout of %#llx bytes at %#llx with %#llx reserved: %d",
		   list[i].ns.size, list[i].ns.start, list[i].rsv_size,
		   list[i].rc);
}

static void test_span_edges(void)
{
	static const struct {
		struct xen_pmem_ns ns;
		u64 start, end;		/* none: 0 */
	} list[] = {
		{ { 4 * GIB + 0x1000, GIB, { 0 } }, 4 * GIB + 2 * MIB, 5 * GIB },
		{ { 4 * GIB - 0x1000, GIB, { 0 } }, 4 * GIB, 5 * GIB - 2 * MIB },
		{ { 4 * GIB, 2 * MIB, { 0 } }, 4 * GIB, 4 * GIB + 2 * MIB },
		{ { 4 * GIB, 2 * MIB - 1, { 0 } }, 0, 0 },
		{ { 4 * GIB + 0x1000, 2 * MIB, { 0 } }, 0, 0 },
		{ { -(2 * MIB), 4 * MIB, { 0 } }, 0, 0 },
	};
	u64 start, end;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(list); i++) {
		bool is = xen_pmem_span(&list[i].ns, &start, &end);

		ok(is == !!list[i].end &&
		   (!is || (start == list[i].start && end == list[i].end)),
		   "span of %#llx bytes at %#llx", list[i].ns.size,
		   list[i].ns.start);
	}
}

static void test_layout_example(void)
{
	struct xen_pmem_geometry geo;
	u64 start, end;

	ok(!xen_pmem_layout(&example, 10 * MIB, &geo) &&
	   !memcmp(&geo, &example_info.geo, sizeof(geo)),
	   "layout of the documentation's example");
	ok(xen_pmem_span(&example, &start, &end) && start == 5 * GIB &&
	   end == 6 * GIB, "its span");
}

int main(void)
{
	test_fields_cover_block();
	test_documented_bytes();
	test_checksum();
	test_round_trips();
	test_bad_fields();
	test_all_fields_listed();
	test_who_may_judge();
	test_uuid_texts();
	test_last_bytes_of_padding();
	test_bit_flips();
	test_signed_bit_flips();
	test_foreign();
	test_other_namespace();
	test_layout_sweep();
	test_layout_edges();
	test_span_edges();
	test_layout_example();
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
