/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is on an NVDIMM, and what of it a power cut may take.
 *
 * One range of addresses, which is one namespace or free capacity. The info block is in three
 * parts, as many as it takes for a torn one: its 16 bytes of signature, the rest of its
 * first sector, and the rest. A part holds nothing, or what one writer made of it, its
 * generation. "Old" is what was there before the command, "new" what the command makes,
 * "noise" what an earlier command left, of a namespace that is no more.
 *
 * A store is in a cache or in a buffer of the memory controller until it is flushed and fenced:
 * cache[] is what all CPUs read, durable[] what outlives a cut. Of what differs, a cut
 * keeps any part.
 */

mtype:kind = { NO_KIND, EMPTY, RAW_DATA, FSDAX, DEVDAX, SECTOR, XEN }
mtype:class = { ANY, PFN, DAX, BTT }			/* holder_class */
mtype:bytes = { NOTHING, USER, RECORDS, FRESH }

/* Uuids of labels. ZERO: label-less. The n-th command takes U_NEW + n for a new label. */
#define NOBODY	0
#define ZERO	1
#define U_OLD	2
#define U_NOISE	3
#define U_NEW	4

/* Generations. */
#define NIL	0
#define OLD	1
#define NEW	2
#define NOISE	3

/* Parts of the head. */
#define FIRST	0	/* bytes [0, 4 KiB): the block of a BTT in a labelled namespace, a file system's */
#define SIG	1	/* bytes [0, 16) of the info block */
#define FIELDS	2	/* the rest of its first 512 bytes */
#define REST	3	/* extension and checksum */
#define PARTS	4

/* Signatures. Those of xen mode and of fsdax are the same. */
#define SIG_PFN	1
#define SIG_DAX	2
#define SIG_BTT	3

byte cache[PARTS];
byte durable[PARTS];
mtype:bytes reserved;		/* what lies where Xen's records are to be, or are */
mtype:bytes data;		/* what lies where the data of xen mode is */

/* What a block of a generation is: its mode, its signature, its parent's uuid. */
mtype:kind kind_of[4] = NO_KIND;
byte sig_of[4];
byte parent_of[4];
#define old_kind	kind_of[OLD]
#define new_kind	kind_of[NEW]

inline define(generation, kind)
{
	kind_of[generation] = kind;
	sig_of[generation] = (kind_of[generation] == DEVDAX -> SIG_DAX :
			      (kind_of[generation] == SECTOR -> SIG_BTT : SIG_PFN))
}

/* --- labels ----------------------------------------------------------------------- */

/*
 * Two index blocks, of which the valid one with the later sequence number counts: 1, 2, 3,
 * 1. The other one is written next. An index names the slot with the label of our
 * namespace (0: none), and says whether the other namespace of the region is there.
 * What is being written is not valid: sequence 0, or no uuid.
 */
byte seq[2];
byte slot[2];
bit other[2];
byte slot_uuid[2];
mtype:class slot_class[2];

/* What follows from them. */
bool labelled;
byte current;
byte medium_uuid = ZERO;
mtype:class medium_class = ANY;

#define LABEL		slot[current]
#define HAS_NAMESPACE	(medium_uuid != NOBODY)

/* __nd_label_validate() and best_seq() of label.c */
inline labels_changed()
{
	labelled = seq[0] + seq[1] > 0;
	current = (seq[1] == 0 || (seq[0] != 0 && seq[0] == seq[1] % 3 + 1) -> 0 : 1);
	medium_uuid = (!labelled -> ZERO : (LABEL == 0 -> NOBODY : slot_uuid[LABEL - 1]));
	medium_class = (!labelled || LABEL == 0 -> ANY : slot_class[LABEL - 1])
}

/* --- info blocks ------------------------------------------------------------------ */

/* The checksum is right if all parts are of one writer; see xen_pmem_sb_identify(). */
#ifdef WEAK_CHECKSUM
#define SUM_OK(v)	(v[REST] != NIL)
#else
#define SUM_OK(v)	(v[REST] != NIL && v[FIELDS] == v[REST])
#endif
#define BLOCK_OK(v)	(SUM_OK(v) && v[SIG] == sig_of[v[REST]])
#define BLOCK_IS(v, kind, uuid)	(BLOCK_OK(v) && kind_of[v[REST]] == kind && \
				 parent_of[v[REST]] == uuid)

/* A block of ours that is valid for a namespace with this uuid. */
#define XEN_BLOCK(v, uuid)	BLOCK_IS(v, XEN, uuid)
/* The BTT of a labelled namespace is at 0, that of a label-less one at 4 KiB. */
#define BTT_AT_0(v, uuid)	(kind_of[v[FIRST]] == SECTOR && parent_of[v[FIRST]] == uuid)
#define BLANK(v)	(v[FIRST] == NIL && v[SIG] == NIL && v[FIELDS] == NIL && v[REST] == NIL)

#define PENDING		(cache[FIRST] != durable[FIRST] || cache[SIG] != durable[SIG] || \
			 cache[FIELDS] != durable[FIELDS] || cache[REST] != durable[REST])

/* A store. What was stored before and not flushed may have become durable meanwhile. */
inline store(part, value)
{
	if
	:: cache[part] != durable[part] -> durable[part] = cache[part]
	:: true
	fi;
	cache[part] = value
}

/* All earlier stores: clwb or movnti, sfence, and the flush hints of the region. */
inline flush()
{
	d_step {
		durable[FIRST] = cache[FIRST];
		durable[SIG] = cache[SIG];
		durable[FIELDS] = cache[FIELDS];
		durable[REST] = cache[REST]
	}
}

inline keep_or_lose(part)
{
	if
	:: cache[part] != durable[part] -> durable[part] = cache[part]
	:: true
	fi;
	cache[part] = durable[part]
}

/* Power is gone. */
inline lose()
{
	keep_or_lose(FIRST);
	keep_or_lose(SIG);
	keep_or_lose(FIELDS);
	keep_or_lose(REST)
}
