// SPDX-License-Identifier: GPL-2.0-only
/* Holds the parser against the reader, and both against what has to be so. */

#include <errno.h>
#include <string.h>
#include <linux/kernel.h>

#include "judge.h"

const char * const verdict_names[] = {
	[READER_NOT_OURS] = "not ours",
	[READER_REFUSED] = "refused",
	[READER_ACCEPTED] = "accepted",
};

static const char *complain(const char *what, const char *field)
{
	static char line[160];

	snprintf(line, sizeof(line), "%s (field %s)", what, field ? field : "none");
	return line;
}

/* --- of a block that was refused ------------------------------------------ */

bool judge_may_blame(const struct field *f)
{
	static const char * const never[] = {
		"ext.version_minor", "ext.compat", "ext.compat_m2p_size",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(never); i++)
		if (!strcmp(f->name, never[i]))
			return false;
	return true;
}

static bool is_text(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size && text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return i && i < size;
}

/* "0x80 at byte 17" of an array that should be zero. */
static bool is_first_byte(const struct input *in, const struct field *f,
			  const char *found)
{
	const u8 *bytes = in->block + f->offset;
	unsigned int value, at, i;

	if (sscanf(found, "%x at byte %u", &value, &at) != 2 || at >= f->size)
		return false;
	for (i = 0; i < at; i++)
		if (bytes[i])
			return false;
	return value && bytes[at] == value;
}

/* Fields of 16 bytes are shown as texts, of which the parser is left to choose one. */
static bool shows_field(const struct input *in, const struct field *f,
			const char *found)
{
	char text[32];

	if (f->size > 16)
		return is_first_byte(in, f, found);
	if (f->size > 8)
		return true;
	snprintf(text, sizeof(text), "%#llx", input_field(in, f));
	return !strcmp(found, text);
}

static enum xen_pmem_remedy remedy_for(const char *field)
{
	if (!strcmp(field, "checksum"))
		return XEN_PMEM_REMEDY_IGNORED;
	if (!strcmp(field, "ext.owner"))
		return XEN_PMEM_REMEDY_OWNER;
	if (!strcmp(field, "ext.version_major") || !strcmp(field, "ext.incompat"))
		return XEN_PMEM_REMEDY_DRIVER;
	return XEN_PMEM_REMEDY_PROVISION;
}

static const char *check_diag(const struct input *in,
			      const struct xen_pmem_diag *diag)
{
	const struct field *f = field_by_name(diag->field);

	if (!f || !judge_may_blame(f))
		return complain("the diagnosis blames what cannot be wrong",
				diag->field);
	if (!is_text(diag->found, sizeof(diag->found)) ||
	    !is_text(diag->expected, sizeof(diag->expected)))
		return complain("the diagnosis is not a text that ends",
				diag->field);
	if (!strcmp(diag->found, diag->expected))
		return complain("the diagnosis found what it expected",
				diag->field);
	if (!shows_field(in, f, diag->found))
		return complain("the diagnosis shows what is not there",
				diag->field);
	if (diag->remedy != remedy_for(diag->field))
		return complain("the diagnosis has the wrong remedy",
				diag->field);
	return NULL;
}

static const char *check_silence(const struct input *in, const struct verdict *v)
{
	const char *field = v->diag.field;

	if (v->parser == READER_REFUSED)
		return field ? check_diag(in, &v->diag) :
		       complain("refused without a field", NULL);
	if (!field)
		return NULL;
	if (v->parser == READER_NOT_OURS && !strcmp(field, "checksum"))
		return check_diag(in, &v->diag);
	return complain("a diagnosis of a block that was not refused", field);
}

/* --- of a block that was accepted ----------------------------------------- */

static const char *check_same_layout(const struct verdict *v)
{
	const struct reader_layout *l = &v->layout;
	const struct xen_pmem_info *info = &v->info;
	const struct xen_pmem_geometry *geo = &info->geo;

	if (geo->rsv_start != l->rsv_start || geo->rsv_size != l->rsv_size ||
	    geo->data_start != l->data_start || geo->data_size != l->data_size)
		return "the places differ from the reader's";
	if (info->rec.page_info != l->page_info_size ||
	    info->rec.m2p != l->m2p_size ||
	    info->rec.compat_m2p != l->compat_m2p_size)
		return "the record sizes differ from the reader's";
	if (memcmp(info->uuid, l->uuid, sizeof(l->uuid)))
		return "the uuid differs from the reader's";
	return NULL;
}

/* No sum of these is cut. */
static const char *check_places(const struct input *in,
				const struct xen_pmem_geometry *geo)
{
	unsigned __int128 start = in->start, end = start + in->size;
	unsigned __int128 rsv = start + geo->rsv_start, rsv_end = rsv + geo->rsv_size;
	unsigned __int128 data = start + geo->data_start, data_end = data + geo->data_size;

	if (geo->rsv_start < XEN_PMEM_HEADER_SIZE || rsv_end > data ||
	    data_end > end)
		return "parts overlap, or leave the namespace";
	if (!geo->rsv_size || !geo->data_size)
		return "a part is empty";
	if (rsv % (2 * MIB) || rsv_end % (2 * MIB) || data % (16 * MIB) ||
	    data_end % (16 * MIB))
		return "a part is not aligned";
	if (geo->rsv_start - XEN_PMEM_HEADER_SIZE >= 2 * MIB ||
	    data - rsv_end >= 16 * MIB || end - data_end >= 16 * MIB)
		return "a part could be larger";
	return NULL;
}

static const char *check_own_layout(const struct input *in,
				    const struct xen_pmem_geometry *geo)
{
	struct xen_pmem_ns ns = input_ns(in);
	struct xen_pmem_geometry own;
	u64 start, end;

	if (!xen_pmem_span(&ns, &start, &end) ||
	    in->start + geo->rsv_start < start ||
	    in->start + geo->data_start + geo->data_size > end)
		return "xen_pmem_span() has less";
	if (xen_pmem_layout(&ns, geo->rsv_size, &own) ||
	    memcmp(&own, geo, sizeof(own)))
		return "xen_pmem_layout() has other places";
	return NULL;
}

/* What a block says decides all of its bytes, but for what a reader may ignore. */
static const char *check_build(const struct input *in,
			       const struct xen_pmem_info *info)
{
	const struct xen_pmem_sb *sb = (const struct xen_pmem_sb *)in->block;
	struct xen_pmem_ns ns = input_ns(in);
	struct input own = *in;
	struct xen_pmem_sb *built = input_sb(&own);
	bool ignored = sb->ext.version_minor || sb->ext.compat;

	xen_pmem_sb_build(built, &ns, info);
	if (ignored) {
		built->ext.version_minor = sb->ext.version_minor;
		built->ext.compat = sb->ext.compat;
		input_mend(&own);
	}
	return memcmp(built, sb, sizeof(*sb)) ?
	       "xen_pmem_sb_build() makes another block" : NULL;
}

static const char *check_accepted(const struct input *in, const struct verdict *v)
{
	const char *wrong = check_same_layout(v);

	if (!wrong)
		wrong = check_places(in, &v->info.geo);
	if (!wrong)
		wrong = check_own_layout(in, &v->info.geo);
	return wrong ? wrong : check_build(in, &v->info);
}

/* --- of any --------------------------------------------------------------- */

/* The block stands alone, so that ASan sees who looks behind it. */
static const char *parse(const struct input *in, struct verdict *v)
{
	struct xen_pmem_sb sb;
	struct xen_pmem_ns ns = input_ns(in);
	struct xen_pmem_info info;
	struct xen_pmem_diag diag;
	int rc;

	memcpy(&sb, in->block, sizeof(sb));
	memset(&info, 0xa5, sizeof(info));
	memset(&diag, 0xa5, sizeof(diag));
	rc = xen_pmem_sb_parse(&sb, &ns, &info, &diag);
	v->info = info;
	v->diag = diag;
	v->parser = !rc ? READER_ACCEPTED :
		    rc == -EOPNOTSUPP ? READER_REFUSED : READER_NOT_OURS;
	if (rc && rc != -EOPNOTSUPP && rc != -ENODEV)
		return "the parser returns an error that it has not";
	if (memcmp(&sb, in->block, sizeof(sb)))
		return "the parser changed the block";
	return NULL;
}

static void read_it(const struct input *in, struct verdict *v)
{
	struct reader_namespace ns = { .start = in->start, .size = in->size };
	u8 block[READER_BLOCK_SIZE];

	memcpy(ns.uuid, in->uuid, sizeof(ns.uuid));
	memcpy(block, in->block, sizeof(block));
	memset(&v->layout, 0x5a, sizeof(v->layout));
	v->reader = reader_read(block, &ns, &v->layout);
}

static const char *check_agreement(const struct verdict *v)
{
	static char line[96];

	if (v->parser == v->reader)
		return NULL;
	snprintf(line, sizeof(line), "%s: the parser says %s, the reader %s",
		 v->reader == READER_NOT_OURS ? "wrong claim" : "verdicts differ",
		 verdict_names[v->parser], verdict_names[v->reader]);
	return line;
}

const char *judge(const struct input *in, struct verdict *v)
{
	const char *wrong = parse(in, v);

	read_it(in, v);
	if (!wrong)
		wrong = check_agreement(v);
	if (!wrong)
		wrong = check_silence(in, v);
	if (!wrong && v->parser == READER_ACCEPTED)
		wrong = check_accepted(in, v);
	return wrong;
}

void judge_describe(FILE *to, const struct input *in, const struct verdict *v)
{
	static const u8 no_uuid[XEN_PMEM_UUID_SIZE];
	const struct xen_pmem_diag *diag = &v->diag;
	const struct xen_pmem_geometry *geo = &v->info.geo;

	fprintf(to, "a %s namespace of %#llx bytes at %#llx\n",
		memcmp(in->uuid, no_uuid, sizeof(no_uuid)) ? "labelled" : "label-less",
		in->size, in->start);
	fprintf(to, "the parser says %s, the reader %s\n", verdict_names[v->parser],
		verdict_names[v->reader]);
	if (v->parser == READER_ACCEPTED)
		fprintf(to, "reserved area %#llx + %#llx, data %#llx + %#llx\n",
			geo->rsv_start, geo->rsv_size, geo->data_start,
			geo->data_size);
	else if (diag->field)
		fprintf(to, "diagnosis: %s found '%.*s', expected '%.*s'\n",
			diag->field, (int)sizeof(diag->found), diag->found,
			(int)sizeof(diag->expected), diag->expected);
}
