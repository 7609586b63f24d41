// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments at random for XENPF_pmem, most of them nearly right, each answer held
 * against that of an oracle.  The same seed and range give the same calls.
 *
 * No ADD is made that could succeed outside of the range: there may be no memory,
 * or somebody's data.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pmem_oracle.h"

/* An ADD that is to succeed is let through for so many calls. */
#define ADD_EVERY	500
#define LIST_EVERY	4096
#define MAX_FAILURES	5
#define NR_COMMANDS	10

static const char * const command_names[NR_COMMANDS] = {
	"query", "add", "remove", "list", "claim", "unclaim", "guest", "map", "unmap", "other",
};

static struct {
	u64 seed;
	u64 nr;
	u64 state;
	struct range own;
	u64 adds;
	u64 failures;
	u64 counts[NR_COMMANDS][NR_OUTCOMES];
	bool lost;
} fuzz;

/* xorshift64* */
static u64 rnd(void)
{
	fuzz.state ^= fuzz.state >> 12;
	fuzz.state ^= fuzz.state << 25;
	fuzz.state ^= fuzz.state >> 27;

	return fuzz.state * 0x2545f4914f6cdd1dULL;
}

static u64 below(u64 n)
{
	return (rnd() >> 11) % n;
}

static bool one_in(u64 n)
{
	return !below(n);
}

static u64 own_chunk(u64 more)
{
	u64 nr = (fuzz.own.e - fuzz.own.s) / CHUNK_FRAMES;

	return fuzz.own.s + below(nr + more) * CHUNK_FRAMES;
}

/* A region at @s: header, reserved area, data. */
static void lay_out(struct tuple *t, u64 s, u64 chunks)
{
	u64 header = one_in(2) * CHUNK_FRAMES;

	t->all.s = s;
	t->all.e = s + chunks * CHUNK_FRAMES;
	t->rsv.s = s + header;
	t->rsv.e = t->rsv.s + (1 + below(5)) * CHUNK_FRAMES;
	t->data.s = t->rsv.e + one_in(4) * CHUNK_FRAMES;
	t->data.e = t->all.e;
}

static u64 edge(void)
{
	static const u64 edges[] = {
		0, 1, 511, 512, 513, 1 << 16, 1 << 18, 1 << 19, 0xa0, 0x100,
		0xfee00, 0xfec00, 0xb0000, 0xe0000, 1ULL << 20, 1ULL << 28, 1ULL << 31,
		1ULL << 32, 0x50000000, 1ULL << 40, 1ULL << 52, 1ULL << 63,
		~0ULL, ~511ULL, ~1023ULL,
	};
	u64 value = below(3) ? edges[below(ARRAY_SIZE(edges))] :
		    one_in(2) ? fuzz.own.s : fuzz.own.e;

	switch (below(5)) {
	case 0:
		return value - CHUNK_FRAMES;
	case 1:
		return value + CHUNK_FRAMES;
	case 2:
		return value + below(3) - 1;
	default:
		return value;
	}
}

static void near_region(struct tuple *t)
{
	u64 *word = (u64 *)t;
	int i, n = below(3);

	*t = oracle_regions[below(oracle_nr)];
	for (i = 0; i < n; i++)
		word[below(6)] += (below(7) - 3) * CHUNK_FRAMES;
}

static void new_tuple(struct tuple *t)
{
	u64 kind = below(10);

	if (kind < 2)
		lay_out(t, edge() & ~511ULL, 2 + below(64));
	else if (kind < 5 && oracle_nr)
		near_region(t);
	else
		lay_out(t, own_chunk(0), 2 + below(one_in(4) ? 512 : 32));
}

/* One of the six numbers becomes a wrong one, more or less. */
static void perturb(struct tuple *t)
{
	u64 *word = (u64 *)t, *w = &word[below(6)];

	switch (below(8)) {
	case 0:
		*w += below(3) - 1;
		break;
	case 1:
		*w ^= 1ULL << below(64);
		break;
	case 2:
		*w = edge();
		break;
	case 3:
		*w = word[below(6)];
		break;
	case 4:
		*w = own_chunk(3) + (one_in(4) ? below(512) : 0);
		break;
	case 5:
		*w = -*w;
		break;
	default:
		*w += (below(17) - 8) * CHUNK_FRAMES;
	}
}

static u32 odd_number(void)
{
	static const u32 odd[] = { 1, 2, 3, 4, 0x10, 0x8000, 0x80000000, ~0U };

	return odd[below(ARRAY_SIZE(odd))];
}

static void new_words(struct platform_op *op)
{
	struct xenpf_pmem *pmem = &op->pmem;
	u64 kind = below(100);

	pmem->cmd = kind < 36 ? XENPF_PMEM_QUERY : kind < 68 ? XENPF_PMEM_ADD :
		    kind < 84 ? XENPF_PMEM_REMOVE : kind < 88 ? XENPF_PMEM_LIST :
		    kind < 91 ? XENPF_PMEM_CLAIM : kind < 94 ? XENPF_PMEM_UNCLAIM :
		    kind < 96 ? XENPF_PMEM_GUEST : kind < 99 ? XENPF_PMEM_MAP :
		    XENPF_PMEM_UNMAP;
	if (pmem->cmd == XENPF_PMEM_LIST || pmem->cmd == XENPF_PMEM_GUEST)
		pmem->index = one_in(4) ? odd_number() : below(ORACLE_MAX + 1);
	else if (pmem->cmd <= XENPF_PMEM_REMOVE && one_in(4))
		pmem->flags = XENPF_PMEM_UNLISTED;

	if (!one_in(12))
		return;
	switch (below(7)) {
	case 0:
		pmem->cmd = XENPF_PMEM_UNMAP + odd_number();
		break;
	case 1:
		pmem->version = odd_number() - 1;
		break;
	case 2:
		pmem->flags = odd_number();
		break;
	case 3:
		pmem->index = odd_number();
		break;
	case 4:
		pmem->pad = odd_number();
		break;
	case 5:
		op->interface_version ^= odd_number();
		break;
	case 6:
		/* Private numbers as well: no operation of Xen's. */
		op->cmd = XENPF_pmem + 1 + below(16);
	}
}

static void set_tuple(struct xenpf_pmem *pmem, const struct tuple *t)
{
	pmem->spfn = t->all.s;
	pmem->epfn = t->all.e;
	pmem->rsv_spfn = t->rsv.s;
	pmem->rsv_epfn = t->rsv.e;
	pmem->data_spfn = t->data.s;
	pmem->data_epfn = t->data.e;
}

/* Of MAP and UNMAP; other commands are not to look at it. */
static void new_mapping(struct xenpf_pmem *pmem)
{
	u64 *w[] = { &pmem->guest_spfn, &pmem->guest_epfn, &pmem->guest_gfn };

	pmem->guest_spfn = pmem->data_spfn;
	pmem->guest_epfn = pmem->data_epfn;
	pmem->guest_gfn = below(1 << 20) * CHUNK_FRAMES;
	if (one_in(2))
		*w[below(3)] += (below(9) - 4) * (one_in(2) ? 1 : CHUNK_FRAMES);
	else if (one_in(4))
		*w[below(3)] = rnd();
}

static void new_call(struct platform_op *op)
{
	struct tuple t;
	u64 n;

	prepare(0);
	*op = args->platform;
	new_words(op);
	new_tuple(&t);
	for (n = below(8); n > 3; n -= 2)
		perturb(&t);
	set_tuple(&op->pmem, &t);

	/* Whatever is not to be set by the caller. */
	op->pmem.rsv_need = rnd();
	op->pmem.rsv_max = rnd();
	op->pmem.rsv_used = rnd();
	op->pmem.bad_mfn = rnd();
	op->pmem.page_info_size = rnd();
	op->pmem.m2p_size = rnd();
	op->pmem.compat_m2p_size = rnd();
	op->pmem.state = rnd();
	op->pmem.domid = one_in(2) ? 0 : rnd();
	new_mapping(&op->pmem);
}

static void print_regions(void)
{
	unsigned int i;

	for (i = 0; i < oracle_nr; i++) {
		struct xenpf_pmem pmem;

		set_tuple(&pmem, &oracle_regions[i]);
		printf("registered: ");
		print_tuple(&pmem);
		putchar('\n');
	}
}

static void print_allowed(const struct platform_op *op)
{
	struct verdict v = oracle_predict(op);
	unsigned int i;

	if (!v.must)
		v.may |= BIT(OUT_OK);
	printf("allowed:");
	for (i = 0; i < OUT_OTHER; i++) {
		if ((v.must | v.may) & BIT(i))
			printf(" %s", error_name(oracle_errors[i]));
	}
	putchar('\n');
}

static void tell(const struct platform_op *op, const struct platform_op *out,
		 int rc, const char *why)
{
	const struct xenpf_pmem *in = &op->pmem;

	printf("unexpected: %s; call number %llu had %s ", why, fuzz.nr, error_name(-rc));
	printf("bad_mfn=0x%llx state=%s rsv_need=0x%llx rsv_max=0x%llx\n",
	       out->pmem.bad_mfn, state_name(out->pmem.state), out->pmem.rsv_need,
	       out->pmem.rsv_max);
	print_allowed(op);
	print_regions();
	printf("replay alone: xenpf_pmem raw op=0x%x interface_version=0x%x cmd=%u ",
	       op->cmd, op->interface_version, in->cmd);
	printf("version=%u flags=0x%x index=%u pad=0x%x domid=%u ", in->version,
	       in->flags, in->index, in->pad, in->domid);
	print_hex("guest_spfn", in->guest_spfn);
	print_hex("guest_epfn", in->guest_epfn);
	print_hex("guest_gfn", in->guest_gfn);
	print_tuple(in);
	printf("\nreplay all: xenpf_pmem fuzz 0x%llx %llu 0x%llx 0x%llx\n", fuzz.seed,
	       fuzz.nr + 1, fuzz.own.s, fuzz.own.e);
	fuzz.failures++;
}

/* Xen lists what the model has, and nothing else. */
static bool list_is_right(void)
{
	unsigned int i;
	struct tuple t;

	for (i = 0; i <= oracle_nr; i++) {
		struct xenpf_pmem *pmem = prepare(XENPF_PMEM_LIST);
		int rc;

		pmem->index = i;
		rc = platform_op();
		if (rc == -ENOENT && i == oracle_nr)
			return true;
		t = oracle_tuple(pmem);
		if (rc || !oracle_is_region(&t) || pmem->state != XENPF_PMEM_STATE_ACTIVE ||
		    pmem->flags != (oracle_is_claimed(&t) ? XENPF_PMEM_CLAIMED : 0))
			break;
	}

	return false;
}

static void check_list(const struct platform_op *op, int rc)
{
	if (list_is_right())
		return;
	tell(op, &args->platform, rc, "Xen's list is not what was added and not removed");
	fuzz.lost = true;
}

static void follow(const struct platform_op *op, int rc)
{
	struct tuple t = oracle_tuple(&op->pmem);

	if (rc)
		return;
	if (op->pmem.cmd == XENPF_PMEM_ADD)
		oracle_added(&t);
	else if (op->pmem.cmd == XENPF_PMEM_REMOVE)
		oracle_removed(&t);
	else if (op->pmem.cmd == XENPF_PMEM_CLAIM ||
		 op->pmem.cmd == XENPF_PMEM_UNCLAIM)
		oracle_claimed(&t, op->pmem.cmd == XENPF_PMEM_CLAIM);
	else
		return;
	check_list(op, rc);
}

static int call(const struct platform_op *op)
{
	unsigned int cmd = op->pmem.cmd < NR_COMMANDS ? op->pmem.cmd : NR_COMMANDS - 1;
	struct platform_op out;
	const char *why;
	int rc;

	args->platform = *op;
	rc = platform_op();
	out = args->platform;
	fuzz.counts[cmd][oracle_outcome(rc)]++;
	if (!oracle_allows(op, &out, rc, &why)) {
		tell(op, &out, rc, why);
		/* The model does not know what is registered now. */
		fuzz.lost = !rc && op->pmem.cmd != XENPF_PMEM_QUERY;
		return rc;
	}
	follow(op, rc);

	return rc;
}

/* ADD only where it cannot do harm, and seldom with success. */
static void restrain(struct platform_op *op)
{
	struct verdict v = oracle_predict(op);
	struct tuple t = oracle_tuple(&op->pmem);

	if (op->pmem.cmd == XENPF_PMEM_REMOVE && !v.must && one_in(2))
		op->pmem.cmd = XENPF_PMEM_QUERY;
	if (op->pmem.cmd != XENPF_PMEM_ADD)
		return;
	if (!v.must && oracle_is_own(&t) && oracle_nr < ORACLE_MAX &&
	    fuzz.adds * ADD_EVERY <= fuzz.nr) {
		fuzz.adds++;
		return;
	}
	/* What keeps it from being added has to work, so that is tried first. */
	if (!v.must || v.must == BIT(OUT_ENODEV)) {
		op->pmem.cmd = XENPF_PMEM_QUERY;
		if (v.must && call(op) == -ENODEV)
			op->pmem.cmd = XENPF_PMEM_ADD;
	}
}

static int remove_all(void)
{
	unsigned int left, round;
	int rc = 0;

	for (round = 0; round < ORACLE_MAX; round++) {
		for (left = 0; ; left++) {
			struct xenpf_pmem *pmem = prepare(XENPF_PMEM_LIST);

			pmem->index = left;
			if (platform_op())
				break;
			pmem->cmd = XENPF_PMEM_REMOVE;
			pmem->index = 0;
			pmem->flags = 0;
			rc = platform_op();
		}
		if (!left)
			return 0;
	}

	return rc ? rc : -EBUSY;
}

/* Whatever Xen allocates once for all. */
static int warm_up(void)
{
	struct xenpf_pmem *pmem = prepare(XENPF_PMEM_ADD);
	struct tuple t = {
		{ fuzz.own.s, fuzz.own.e },
		{ fuzz.own.s, (fuzz.own.s + fuzz.own.e) / 2 & ~511ULL },
		{},
	};
	int rc;

	t.data = (struct range){ t.rsv.e, fuzz.own.e };
	set_tuple(pmem, &t);
	rc = platform_op();

	return rc ? rc : remove_all();
}

static void print_counts(void)
{
	unsigned int cmd, i;

	for (cmd = 0; cmd < NR_COMMANDS; cmd++) {
		printf("cmd=%s", command_names[cmd]);
		for (i = 0; i < NR_OUTCOMES; i++) {
			if (fuzz.counts[cmd][i])
				printf(" %s=%llu", i == OUT_OTHER ? "other" :
				       error_name(oracle_errors[i]), fuzz.counts[cmd][i]);
		}
		putchar('\n');
	}
}

static void run(u64 count)
{
	struct platform_op op;

	for (fuzz.nr = 0; fuzz.nr < count; fuzz.nr++) {
		new_call(&op);
		restrain(&op);
		call(&op);
		if (!(fuzz.nr % LIST_EVERY))
			check_list(&op, 0);
		if (fuzz.lost || fuzz.failures >= MAX_FAILURES)
			break;
	}
}

static int fuzz_range(u64 count)
{
	u64 before, after;
	int rc;

	rc = oracle_init(fuzz.own.s, fuzz.own.e);
	if (!rc)
		rc = warm_up();
	if (!rc)
		rc = free_pages(&before);
	if (rc)
		return report(rc);

	run(count);
	rc = remove_all();
	print_counts();
	if (rc || free_pages(&after))
		return report(rc ? rc : -EIO);
	oracle_nr = 0;
	printf("calls=%llu regions_left=%s failures=%llu ", fuzz.nr,
	       list_is_right() ? "none" : "some", fuzz.failures);
	printf("free_before=%llu free_after=%llu\n", before, after);

	return fuzz.failures || before != after || !list_is_right();
}

int do_fuzz(char **words, int nr)
{
	u64 count;

	if (nr != 4)
		return bad_usage("fuzz takes a seed, a count and a range of frames");
	if (parse_number(words[0], &fuzz.seed) || parse_number(words[1], &count) ||
	    parse_frame(words[2], &fuzz.own.s) || parse_frame(words[3], &fuzz.own.e))
		return 2;
	if (fuzz.own.s % CHUNK_FRAMES || fuzz.own.e % CHUNK_FRAMES ||
	    fuzz.own.s + 16 * CHUNK_FRAMES > fuzz.own.e)
		return bad_usage("fuzz takes a range of 32 MiB or more, aligned to 2 MiB");

	printf("seed=0x%llx count=%llu\n", fuzz.seed, count);
	fuzz.state = fuzz.seed * 2 + 1;

	return fuzz_range(count);
}
