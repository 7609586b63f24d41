// SPDX-License-Identifier: GPL-2.0
/*
 * What XENPF_pmem has to answer, worked out from the text of the interface alone.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pmem_oracle.h"

/* Frames that one chunk of frame table, or of M2P, describes. */
#define GROUP		65536ULL
#define WINDOW		262144ULL
/* Of the compat M2P, which there may be, and which covers the first TiB. */
#define COMPAT_WINDOW	524288ULL
#define COMPAT_END	268435456ULL

#define E820_RAM	1
#define E820_RESERVED	2
#define E820_PMEM	7
#define E820_PRAM	12
#define NFIT_FILE	"/sys/firmware/acpi/tables/NFIT"
#define NFIT_HEADER	40
#define NFIT_SPA	0
#define MAX_RANGES	128

const int oracle_errors[NR_OUTCOMES] = {
	0, EINVAL, ERANGE, EOPNOTSUPP, EEXIST, EBUSY, ENODEV, ENOSPC, ENOENT,
	ESRCH, EACCES, NO_OP, -1,
};

struct set {
	struct range r[MAX_RANGES];
	unsigned int nr;
};

/* In the order in which they were added. */
struct tuple oracle_regions[ORACLE_MAX];
bool oracle_claims[ORACLE_MAX];
unsigned int oracle_nr;

static struct range own;
static struct set ram, occupied, listed;
static u64 limit;
static u16 sizes[3];

static bool overlap(const struct range *a, const struct range *b)
{
	return a->s < b->e && b->s < a->e;
}

static bool inside(const struct range *a, const struct range *b)
{
	return a->s >= b->s && a->e <= b->e;
}

static void put(struct set *set, u64 s, u64 e)
{
	if (s < e && set->nr < MAX_RANGES)
		set->r[set->nr++] = (struct range){ s, e };
}

/* The first frame of @r which is in the set, or ~0. */
static u64 first_in(const struct set *set, const struct range *r)
{
	u64 first = ~0ULL;
	unsigned int i;

	for (i = 0; i < set->nr; i++) {
		const struct range *x = &set->r[i];

		if (overlap(x, r) && (x->s > r->s ? x->s : r->s) < first)
			first = x->s > r->s ? x->s : r->s;
	}

	return first;
}

/* The first frame of @r which is not in the set, or ~0. */
static u64 first_not_in(const struct set *set, const struct range *r)
{
	u64 frame = r->s;
	unsigned int i;

	for (i = 0; i < set->nr && frame < r->e; i++) {
		if (set->r[i].s > frame || set->r[i].e <= frame)
			continue;
		frame = set->r[i].e;
		i = -1;
	}

	return frame < r->e ? frame : ~0ULL;
}

static void put_e820(const struct memory_map_entry *entry)
{
	u64 addr = map_addr(entry), end = addr + map_size(entry);

	switch (entry->type) {
	case E820_RESERVED:
		return;
	case E820_PMEM:
	case E820_PRAM:
		put(&listed, (addr + PAGE_SIZE - 1) / PAGE_SIZE, end / PAGE_SIZE);
		return;
	case E820_RAM:
		put(&ram, addr / PAGE_SIZE, end / PAGE_SIZE);
	}
	put(&occupied, addr / PAGE_SIZE, (end + PAGE_SIZE - 1) / PAGE_SIZE);
}

static int read_e820(void)
{
	int rc = machine_map();
	unsigned int i;

	for (i = 0; !rc && i < args->map.op.nr_entries; i++)
		put_e820(&args->map.entries[i]);

	return rc;
}

/* One structure of NFIT: does it describe persistent memory? */
static void put_nfit(const u8 *s, u16 len)
{
	static const u8 pm[16] = {
		0x79, 0xd3, 0xf0, 0x66, 0xf3, 0xb4, 0x74, 0x40,
		0xac, 0x43, 0x0d, 0x33, 0x18, 0xb7, 0x8c, 0xdb,
	};
	u64 addr, size;
	u16 type;

	memcpy(&type, s, sizeof(type));
	if (type != NFIT_SPA || len < 48 || memcmp(s + 16, pm, sizeof(pm)))
		return;
	memcpy(&addr, s + 32, sizeof(addr));
	memcpy(&size, s + 40, sizeof(size));
	put(&listed, addr / PAGE_SIZE, (addr + size) / PAGE_SIZE);
}

static int read_nfit(void)
{
	static u8 table[65536];
	ssize_t size, at;
	u16 len;
	int fd = open(NFIT_FILE, O_RDONLY | O_CLOEXEC);

	/* Persistent memory without an NFIT: the memory map has to list it. */
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	size = read(fd, table, sizeof(table));
	close(fd);
	for (at = NFIT_HEADER; at + 4 <= size; at += len) {
		memcpy(&len, table + at + 2, sizeof(len));
		if (len < 4 || at + len > size)
			return -EIO;
		put_nfit(table + at, len);
	}

	return 0;
}

static int read_limit(void)
{
	unsigned int a, b, c, d;

	if (!__get_cpuid(0x80000008, &a, &b, &c, &d))
		return -EOPNOTSUPP;
	limit = 1ULL << ((a & 0xff) - 12);

	return 0;
}

static int read_sizes(void)
{
	struct xenpf_pmem *pmem = prepare(XENPF_PMEM_QUERY);
	int rc;

	pmem->spfn = own.s;
	pmem->epfn = own.e;
	pmem->rsv_spfn = own.s;
	pmem->rsv_epfn = own.s + CHUNK_FRAMES;
	pmem->data_spfn = pmem->rsv_epfn;
	pmem->data_epfn = own.e;
	rc = platform_op();
	sizes[0] = pmem->page_info_size;
	sizes[1] = pmem->m2p_size;
	sizes[2] = pmem->compat_m2p_size;

	return rc;
}

int oracle_init(u64 s, u64 e)
{
	int rc = read_e820();

	own = (struct range){ s, e };
	if (!rc)
		rc = read_nfit();
	if (!rc)
		rc = read_limit();
	if (!rc)
		rc = read_sizes();

	return rc;
}

bool oracle_is_own(const struct tuple *t)
{
	return inside(&t->all, &own);
}

struct tuple oracle_tuple(const struct xenpf_pmem *pmem)
{
	struct tuple t = {
		{ pmem->spfn, pmem->epfn },
		{ pmem->rsv_spfn, pmem->rsv_epfn },
		{ pmem->data_spfn, pmem->data_epfn },
	};

	return t;
}

unsigned int oracle_outcome(int rc)
{
	unsigned int i;

	for (i = 0; i < OUT_OTHER; i++) {
		if (oracle_errors[i] == -rc)
			break;
	}

	return i;
}

static bool same(const struct tuple *a, const struct tuple *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* Its number, or oracle_nr. */
static unsigned int number_of(const struct tuple *t)
{
	unsigned int i;

	for (i = 0; i < oracle_nr && !same(&oracle_regions[i], t); i++)
		;

	return i;
}

bool oracle_is_region(const struct tuple *t)
{
	return number_of(t) < oracle_nr;
}

bool oracle_is_claimed(const struct tuple *t)
{
	return oracle_is_region(t) && oracle_claims[number_of(t)];
}

void oracle_claimed(const struct tuple *t, bool claimed)
{
	oracle_claims[number_of(t)] = claimed;
}

void oracle_added(const struct tuple *t)
{
	oracle_claims[oracle_nr] = false;
	oracle_regions[oracle_nr++] = *t;
}

void oracle_removed(const struct tuple *t)
{
	unsigned int i = number_of(t);

	for (oracle_nr--; i < oracle_nr; i++) {
		oracle_regions[i] = oracle_regions[i + 1];
		oracle_claims[i] = oracle_claims[i + 1];
	}
}

static bool overlaps_region(const struct range *r)
{
	unsigned int i;

	for (i = 0; i < oracle_nr; i++) {
		if (overlap(&oracle_regions[i].all, r))
			return true;
	}

	return false;
}

/* The units of @unit frames which @r has a part in. */
static struct range units(const struct range *r, u64 unit)
{
	return (struct range){ r->s / unit * unit, (r->e + unit - 1) / unit * unit };
}

/* Chunks for the units of @r that neither RAM nor (unless @max) a region brought. */
static u64 chunks(const struct range *r, u64 unit, bool max)
{
	struct range u = units(r, unit), x;
	u64 n = 0;

	for (x.s = u.s; x.s < u.e; x.s += unit) {
		x.e = x.s + unit;
		if (first_in(&ram, &x) == ~0ULL && (max || !overlaps_region(&x)))
			n++;
	}

	return n;
}

static u64 need(const struct range *r, bool max)
{
	u64 n = chunks(r, GROUP, max) + chunks(r, WINDOW, max);

	if (sizes[2] && r->s < COMPAT_END)
		n += chunks(r, COMPAT_WINDOW, max);

	return n * CHUNK_FRAMES;
}

/* Did region @first bring a unit of frames that @second, added later, shares? */
static bool brought(unsigned int first, unsigned int second, u64 unit)
{
	struct range a = units(&oracle_regions[first].all, unit);
	struct range b = units(&oracle_regions[second].all, unit), x;
	unsigned int i;

	for (x.s = a.s; x.s < a.e; x.s += unit) {
		x.e = x.s + unit;
		if (!overlap(&x, &b) || first_in(&ram, &x) != ~0ULL)
			continue;
		for (i = 0; i < first && !overlap(&oracle_regions[i].all, &x); i++)
			;
		if (i == first)
			return true;
	}

	return false;
}

/* Is there a region, other than @t, whose records are in @t's reserved area? */
static bool backs(const struct tuple *t, unsigned int other)
{
	unsigned int i;

	for (i = 0; !same(&oracle_regions[i], t); i++)
		;

	return other > i && (brought(i, other, GROUP) || brought(i, other, WINDOW) ||
			     (sizes[2] && brought(i, other, COMPAT_WINDOW)));
}

static bool backs_any(const struct tuple *t)
{
	unsigned int i;

	for (i = 0; i < oracle_nr; i++) {
		if (backs(t, i))
			return true;
	}

	return false;
}

static bool bad_geometry(const struct tuple *t)
{
	u64 all = t->all.s | t->all.e | t->rsv.s | t->rsv.e | t->data.s | t->data.e;

	return all % CHUNK_FRAMES || t->all.s >= t->all.e || t->rsv.s >= t->rsv.e ||
	       t->data.s >= t->data.e || !inside(&t->rsv, &t->all) ||
	       !inside(&t->data, &t->all) || overlap(&t->rsv, &t->data);
}

static bool bad_words(const struct xenpf_pmem *pmem)
{
	u32 flags = pmem->cmd == XENPF_PMEM_QUERY || pmem->cmd == XENPF_PMEM_ADD ?
		    XENPF_PMEM_UNLISTED : 0;

	return pmem->flags & ~flags || pmem->pad ||
	       (pmem->index && pmem->cmd != XENPF_PMEM_LIST &&
		pmem->cmd != XENPF_PMEM_GUEST);
}

/* Of a range that is one, whatever else is wrong with the tuple. */
static void predict_range(const struct xenpf_pmem *pmem, const struct range *r,
			  struct verdict *v)
{
	if (r->e > limit) {
		v->must |= BIT(OUT_ERANGE);
		/* What else is up there nobody knows. */
		v->may |= BIT(OUT_EBUSY);
	}
	if (overlaps_region(r))
		v->must |= BIT(OUT_EEXIST);
	if (first_in(&occupied, r) != ~0ULL)
		v->must |= BIT(OUT_EBUSY);
	else if (!inside(r, &own))
		v->may |= BIT(OUT_EBUSY);
	if (!(pmem->flags & XENPF_PMEM_UNLISTED) && first_not_in(&listed, r) != ~0ULL)
		v->must |= BIT(OUT_ENODEV);
}

/* There is no other domain that data could be given to, or taken from. */
static void predict_mapping(const struct xenpf_pmem *pmem, struct verdict *v)
{
	struct range r = { pmem->guest_spfn, pmem->guest_epfn };
	struct range data = { pmem->data_spfn, pmem->data_epfn };

	if (pmem->cmd == XENPF_PMEM_UNMAP) {
		v->must |= BIT(OUT_ENOENT);
		return;
	}
	if (pmem->domid)
		v->must |= BIT(OUT_ESRCH);
	/* To this domain itself it is not given, whatever is right. */
	if (!pmem->domid || r.s >= r.e || !inside(&r, &data) ||
	    (r.s | r.e | pmem->guest_gfn) % CHUNK_FRAMES)
		v->must |= BIT(OUT_EINVAL);
}

static void predict_region(const struct xenpf_pmem *pmem, struct verdict *v)
{
	struct tuple t = oracle_tuple(pmem);
	bool geometry = bad_geometry(&t);

	if (geometry)
		v->must |= BIT(OUT_EINVAL);
	if (pmem->cmd >= XENPF_PMEM_REMOVE) {
		/* There is no other domain. */
		if (!oracle_is_region(&t) || pmem->cmd == XENPF_PMEM_GUEST)
			v->must |= BIT(OUT_ENOENT);
		else if (pmem->cmd == XENPF_PMEM_REMOVE && backs_any(&t))
			v->must |= BIT(OUT_EBUSY);
		else if (pmem->cmd >= XENPF_PMEM_MAP)
			predict_mapping(pmem, v);
		return;
	}

	if (t.all.s < t.all.e)
		predict_range(pmem, &t.all, v);
	if (pmem->cmd == XENPF_PMEM_ADD && !geometry && t.all.e <= limit &&
	    t.rsv.e - t.rsv.s < need(&t.all, false))
		v->must |= BIT(OUT_ENOSPC);
}

struct verdict oracle_predict(const struct platform_op *op)
{
	const struct xenpf_pmem *pmem = &op->pmem;
	struct verdict v = { 0, 0 };

	if (op->interface_version != XENPF_INTERFACE_VERSION) {
		v.must = BIT(OUT_EACCES);
		return v;
	}
	if (op->cmd != XENPF_pmem) {
		v.must = BIT(OUT_NO_OP);
		return v;
	}

	if (pmem->version != XENPF_PMEM_VERSION || pmem->cmd > XENPF_PMEM_UNMAP)
		v.must |= BIT(OUT_EOPNOTSUPP);
	if (bad_words(pmem))
		v.must |= BIT(OUT_EINVAL);
	if (pmem->cmd == XENPF_PMEM_LIST) {
		if (pmem->index >= oracle_nr)
			v.must |= BIT(OUT_ENOENT);
	} else {
		predict_region(pmem, &v);
	}

	return v;
}

static const char *check_query(const struct xenpf_pmem *in,
			       const struct xenpf_pmem *out, int rc)
{
	struct tuple t = oracle_tuple(in);
	bool known = out->state != XENPF_PMEM_STATE_NONE;

	if (out->page_info_size != sizes[0] || out->m2p_size != sizes[1] ||
	    out->compat_m2p_size != sizes[2])
		return "the record sizes are not set as they were at first";
	if (rc == -EEXIST && known != oracle_is_region(&t))
		return "EEXIST: state is to be none unless it is this very tuple";
	if (rc || sizes[2])
		return NULL;
	if (out->rsv_need != need(&t.all, false))
		return "rsv_need is not one chunk for each group and window that is missing";
	if (out->rsv_max != need(&t.all, true))
		return "rsv_max is not what would be needed without other regions";

	return NULL;
}

/* The first frame in the way of QUERY or ADD. */
static bool bad_frame_fits(const struct xenpf_pmem *in, u64 bad, int rc)
{
	struct range r = { in->spfn, in->epfn }, frame = { bad, bad + 1 };

	if (rc == -ENODEV)
		return bad == first_not_in(&listed, &r);

	return inside(&frame, &r) && !inside(&frame, &own) &&
	       bad <= first_in(&occupied, &r);
}

/* It is the first frame of a region that shares something. */
static bool bad_region_fits(const struct xenpf_pmem *in, u64 bad)
{
	struct tuple t = oracle_tuple(in);
	unsigned int i;

	for (i = 0; i < oracle_nr; i++) {
		if (backs(&t, i) && oracle_regions[i].all.s == bad)
			return true;
	}

	return false;
}

static const char *check_bad(const struct xenpf_pmem *in, u64 bad, int rc)
{
	if (rc != -EBUSY && rc != -ENODEV)
		return bad == ~0ULL ? NULL : "bad_mfn is to be ~0 without EBUSY or ENODEV";
	if (in->cmd == XENPF_PMEM_REMOVE)
		return bad_region_fits(in, bad) ? NULL :
		       "bad_mfn is not the first frame of a region that shares records";

	return bad_frame_fits(in, bad, rc) ? NULL :
	       "bad_mfn is not the first frame in the way";
}

static const char *check_guest(const struct xenpf_pmem *in,
			       const struct xenpf_pmem *out)
{
	if (in->cmd == XENPF_PMEM_MAP || in->cmd == XENPF_PMEM_UNMAP)
		return out->domid == in->domid && out->guest_gfn == in->guest_gfn &&
		       out->guest_spfn == in->guest_spfn &&
		       out->guest_epfn == in->guest_epfn ? NULL :
		       "MAP and UNMAP are to leave the guest's four numbers alone";

	return out->domid || out->guest_spfn || out->guest_epfn || out->guest_gfn ?
	       "the guest's four numbers are to be 0 without a guest" : NULL;
}

bool oracle_allows(const struct platform_op *in, const struct platform_op *out,
		   int rc, const char **why)
{
	struct verdict v = oracle_predict(in);
	u32 got = BIT(oracle_outcome(rc));

	*why = "another outcome";
	if (!(got & (v.must | v.may | (v.must ? 0 : BIT(OUT_OK)))))
		return false;
	if (in->interface_version != XENPF_INTERFACE_VERSION ||
	    in->cmd != XENPF_pmem || in->pmem.version != XENPF_PMEM_VERSION)
		return true;

	*why = check_bad(&in->pmem, out->pmem.bad_mfn, rc);
	if (!*why && in->pmem.cmd == XENPF_PMEM_QUERY)
		*why = check_query(&in->pmem, &out->pmem, rc);
	if (!*why)
		*why = check_guest(&in->pmem, &out->pmem);

	return !*why;
}
