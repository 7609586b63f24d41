/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linux and Xen: libnvdimm (drivers/nvdimm of Linux 6.12), the driver (drivers/xen/xen_pmem*.c),
 * and XENPF_pmem (hypervisor/xen/arch/x86/x86_64/pmem-steps.c).
 *
 * One process does one call after the other, as each of them holds device_lock() of the
 * namespace from its beginning to its end. What takes no lock, a store to force_raw, is
 * in ndctl.pml.
 */

mtype:call = {
	BIND,			/* a write to the attributes bind of all drivers, or a probe by the kernel */
	UNBIND, UNBIND_CHILD,	/* of the namespace, or of the pfn, dax or btt device on it */
	CLAIM, DETACH,		/* a pfn, dax or btt device takes the namespace, or leaves it */
	SET_UUID, SET_SIZE, SET_CLASS, DELETE,
	PROVISION, ATTACH,	/* the two halves of xen_pmem_provision() */
	ERASE,			/* the same with the word erase, which has one half */
	REGION_OFF, REGION_ON,
	TRY_AGAIN		/* xen_pmem_retry_work() */
}
mtype:bound = { FREE, RAW, CHILD, XEN_PMEM }
mtype:object = { NO_OBJECT, CHECKED, IN_USE, QUARANTINE }
mtype:region = { GONE, ADDING, ACTIVE }
mtype:hold = { NO_ONE, MOUNTED, GUEST, NEIGHBOUR }
mtype:refusal = { NEVER, EARLY, LATE }

chan sys = [0] of { mtype:call, mtype:class, byte };
chan ret = [0] of { bool };

bool power = true;
bool parked = false;		/* the kernel ended with the power */
bool pause = false;		/* see gap() */
bool working = false;		/* the kernel is at something */
bool serving = false;		/* it is a system call of ndctl: no signal ends it */
bool actor = true;		/* udev and other administrators bind and unbind what there is */
bool xen_host;			/* our Xen with the driver, else Linux alone */

/* The namespace, as libnvdimm and sysfs have it. */
mtype:bound bound = FREE;
bool claim = false;		/* nd_namespace_common.claim */
bool claim_is_new = false;	/* by a device that has still to write its info block */
bool force_raw = false;
bool raw_by_force = false;	/* the raw disk that is there came up by force_raw */
bool k_labelled, k_space;	/* k_space: it has a size */
bool k_region = true;		/* the region is enabled */
byte k_uuid = NOBODY;
mtype:class k_class = ANY;

/* struct xen_pmem. As long as it is there, its addresses are claimed in iomem. */
mtype:object xp = NO_OBJECT;
byte xp_uuid = NOBODY;

/* The region in Xen. */
mtype:region region = GONE;
bool xen_writes = false;	/* Xen may write to the reserved area, or has records there */
mtype:hold hold = NO_ONE;	/* who uses a frame of it, or its records */
mtype:refusal refuse = NEVER;	/* the next ADD: before, or after its first write */

bool told = false;		/* the command was told to lose what the namespace holds */
bool overwrite = false;		/* "force" in the line that is written to provision */

#define MY_CLASS(class)	(class == ANY || class == PFN)

/*
 * A point at which something else may happen: between two writes to the medium, above
 * all. Everything else that a call or ndctl does is one step, in which nobody sees a state
 * that it makes.
 */
inline gap()
{
	pause = true;
	!pause
}

proctype go_on_after_pause()
{
end:
	do
	:: atomic { pause -> pause = false }
	od
}

/* --- properties that hold in every state ------------------------------------------- */

/* NAME is never true: pan prints the text of an assertion that failed, and so its name. */
#define demand(condition, NAME)	holds = (condition); assert(holds || NAME)

bool holds = true;
bool XEN_WRITES_OUTSIDE;	/* of the reserved area that a durable valid block names */
bool XEN_WRITES_OVER_DATA;	/* that nobody was told to lose */
bool STOCK_DEVICE_ON_XEN;	/* as long as Xen has the region */
bool RAW_OVER_BLOCK;		/* of ours, but for ndctl's window to look at it and zero it */
bool CHILD_OVER_BLOCK;		/* a pfn, dax or btt device over a block of ours */
bool BLOCK_UNDER_DEVICE;	/* the block is made while a stock device is there */

/* Whatever a cut takes of what is not durable. */
#define RESERVED	(HAS_NAMESPACE && MY_CLASS(medium_class) && \
			 XEN_BLOCK(durable, medium_uuid) && durable[SIG] == cache[SIG] && \
			 durable[FIELDS] == cache[FIELDS] && durable[REST] == cache[REST])

inline check()
{
	demand(!xen_writes || RESERVED, XEN_WRITES_OUTSIDE);
	demand(region == GONE || bound == FREE || bound == XEN_PMEM, STOCK_DEVICE_ON_XEN);
	demand(bound != RAW || !XEN_BLOCK(cache, k_uuid) || raw_by_force, RAW_OVER_BLOCK);
	demand(bound != CHILD || !XEN_BLOCK(cache, k_uuid), CHILD_OVER_BLOCK)
}

/* --- libnvdimm: labels -------------------------------------------------------------- */

/*
 * __pmem_label_update() and del_labels() of label.c. Writes of labels are the firmware's:
 * durable when they return, and torn before.
 */
inline write_label()
{
	here = (LABEL == 1 -> 1 : 0);
	slot_uuid[here] = NOBODY;
	slot_class[here] = ANY;
	labels_changed();
	check();
	gap();
	slot_uuid[here] = k_uuid;
	slot_class[here] = k_class;
	printf("medium:   label in slot %d: uuid %d, class %e\n", here + 1, k_uuid, k_class);
	labels_changed();
	check();
	gap()
}

inline write_index(label)
{
	used = label;
	with_other = other[current];
	next_seq = seq[current] % 3 + 1;
#ifdef INDEX_IN_PLACE
	next = current;
#else
	next = 1 - current;
#endif
	seq[next] = 0;
	labels_changed();
	check();
	gap();
	seq[next] = next_seq;
	slot[next] = used;
	printf("medium:   index %d, sequence %d, names slot %d\n", next, next_seq, used);
	other[next] = with_other;
	labels_changed();
	check();
	gap()
}

/*
 * nd_pmem_namespace_label_update(): the label is written with the flag UPDATING, and once
 * more without. A namespace without a size has no label.
 */
inline label_update()
{
	if
	:: k_labelled && k_space ->
		write_label();
		write_index(here + 1);
		write_label();
		write_index(here + 1)
	:: k_labelled && !k_space -> write_index(0)
	:: else
	fi
}

/* What a kernel makes of the medium when it comes up, or the region does. */
inline read_labels()
{
	k_region = true;
	k_labelled = labelled;
	k_space = HAS_NAMESPACE;
	k_uuid = medium_uuid;
	k_class = medium_class;
	force_raw = false;
	claim = false;
	claim_is_new = false
}

/* --- libnvdimm: probe and removal ------------------------------------------------------ */

#define CLASS_IS(c)	(k_class == ANY || k_class == c)
#define STOCK_BLOCK(kind)	BLOCK_IS(cache, kind, k_uuid)
/* nd_btt_probe(): version 2 only if the label says so */
#define FINDS_BTT	(k_labelled -> k_class == BTT && BTT_AT_0(cache, k_uuid) \
				    : CLASS_IS(BTT) && STOCK_BLOCK(SECTOR))

#ifdef NO_TRIP_WIRES		/* a kernel takes our block for that of an fsdax namespace */
#define FINDS_PFN	(CLASS_IS(PFN) && (STOCK_BLOCK(FSDAX) || STOCK_BLOCK(XEN)))
#else
#define FINDS_PFN	(CLASS_IS(PFN) && STOCK_BLOCK(FSDAX))
#endif
#ifdef NEW_SIGNATURE		/* a kernel takes our block for none */
#define STOPS_AT_WIRE	false
#else
#define STOPS_AT_WIRE	(CLASS_IS(PFN) && STOCK_BLOCK(XEN))
#endif

/* nd_pmem_probe() of pmem.c, for the namespace and for the child that it may find. */
inline stock_probe()
{
	if
	:: xp != NO_OBJECT -> skip	/* request_mem_region() fails */
	:: else ->
		if
		:: FINDS_BTT || FINDS_PFN || (CLASS_IS(DAX) && STOCK_BLOCK(DEVDAX)) ->
			claim = true;
			claim_is_new = false;
			bound = CHILD;
			ok = true
		:: else ->
			if
			:: STOPS_AT_WIRE -> skip	/* nd_pfn_validate(): -EOPNOTSUPP */
			:: else ->
				bound = RAW;
				printf("linux:   raw disk\n");
				raw_by_force = false;
				ok = true
			fi
		fi
	fi
}

/* nd_pfn_init() of pfn_devs.c, or btt_meta_init() of btt.c: one write, then a flush. */
inline write_stock_block()
{
	parent_of[NEW] = k_uuid;
	if
	:: k_labelled && new_kind == SECTOR -> store(FIRST, NEW)
	:: else ->
		store(SIG, sig_of[NEW]);
		store(FIELDS, NEW);
		store(REST, NEW)
	fi;
	check();
	gap();
	flush();
	check();
	gap()
}

/*
 * A pfn, dax or btt device with a namespace and without a driver. A pfn device stops at
 * the wires of our block; the others look for their own signature, and find none.
 */
inline probe_child()
{
	if
	:: xp != NO_OBJECT || (claim_is_new && new_kind == FSDAX && STOPS_AT_WIRE) -> skip
	:: else ->
		if
		:: claim_is_new -> write_stock_block()
		:: else
		fi;
		claim_is_new = false;
		bound = CHILD;
		ok = true;
		check()
	fi
}

/* --- Xen ------------------------------------------------------------------------------- */

/*
 * MAP_M2P and what follows it in pmem-steps.c: the first write. From then on, until REMOVE is
 * through, it may write at any time, which is why check() looks in every state.
 */
inline write_records()
{
	xen_writes = true;
	demand(reserved != USER || told, XEN_WRITES_OVER_DATA);
	reserved = RECORDS;
	printf("xen:     writes records\n");
	check()
}

/* xen_pmem_register() of xen_pmem_hcall.c. Xen undoes an ADD that fails. */
inline add()
{
	if
	:: refuse == EARLY -> refuse = NEVER
	:: else ->
		region = ADDING;
		check();
		gap();
		write_records();
		gap();
		if
		:: refuse == LATE -> refuse = NEVER; region = GONE; xen_writes = false
		:: else -> region = ACTIVE; ok = true; printf("xen:     region is active\n")
		fi
	fi
}

/* REMOVE succeeded, and xen_pmem_free(). */
inline given_back()
{
	region = GONE;
#ifdef REMOVE_ANSWERS_EARLY
	if
	:: xen_writes = false
	:: true
	fi;
#else
	xen_writes = false;
#endif
	xp = NO_OBJECT
}

/* xen_pmem_take_back() and xen_pmem_put() of xen_pmem.c. */
inline take_back()
{
	if
	:: hold == NO_ONE -> given_back()
#ifdef NO_QUARANTINE
	:: else -> xp = NO_OBJECT
#else
	:: else -> xp = QUARANTINE
#endif
	fi
}

/* --- the driver ------------------------------------------------------------------------ */

#define OURS		(XEN_BLOCK(cache, k_uuid) && MY_CLASS_DRIVER)
#ifdef OTHER_CLASS		/* the label says that it is for devdax */
#define MY_CLASS_DRIVER	true
#else
#define MY_CLASS_DRIVER	MY_CLASS(k_class)
#endif
#ifdef ADOPT_ANY
#define MAY_ADOPT	true
#else
#define MAY_ADOPT	(xp_uuid == k_uuid)
#endif

/* xen_pmem_probe() of xen_pmem.c. */
inline xen_probe()
{
	if
	:: xp == QUARANTINE && MAY_ADOPT -> xp = IN_USE; bound = XEN_PMEM; ok = true
	:: xp == NO_OBJECT && OURS ->
		xp = CHECKED;
		xp_uuid = k_uuid;
		add();
		if
		:: ok -> xp = IN_USE; bound = XEN_PMEM
		:: else -> xp = NO_OBJECT
		fi;
		check()
	:: else
	fi
}

/*
 * All drivers in turn, as a probe by the kernel and util_bind() of ndctl have them try. With
 * force_raw xen_pmem_may_bind() says no.
 */
inline probe()
{
	if
	:: bound != FREE || !k_space || k_uuid == NOBODY -> skip
	:: else ->
		if
		:: claim && op == BIND -> probe_child()
		:: !claim && force_raw && op == BIND && xp == NO_OBJECT ->
			bound = RAW;
			printf("linux:   raw disk, by force_raw\n");
			raw_by_force = true;
			ok = true;
			check()
		:: !claim && !force_raw ->
			if
			:: xen_host -> xen_probe()
			:: else
			fi;
			if
			:: !ok && op == BIND && !(xen_host && OURS) -> stock_probe(); check()
			:: else
			fi
		:: else
		fi
	fi
}

inline unbind()
{
	if
	:: op == UNBIND && bound == RAW ->
#ifndef ZEROES_NOT_FLUSHED
		flush();		/* nd_pmem_remove() */
#endif
		bound = FREE;
		raw_by_force = false
	:: op == UNBIND_CHILD && bound == CHILD -> bound = FREE; flush()
	:: op == UNBIND && bound == XEN_PMEM -> bound = FREE; take_back(); check()
	:: else
	fi;
	ok = true
}

/* xen_pmem_provision_locked(): who may be told to write, and where */
#ifdef NO_IDLE_CHECK
#define IDLE		true
#else
#define IDLE		(bound == FREE && !claim && !force_raw)
#endif
#define EMPTY_ENOUGH	(BLANK(cache) && reserved == NOTHING)
#ifdef NO_EMPTY_CHECK
#define MAY_WRITE	true
#else
#define MAY_WRITE	(overwrite || EMPTY_ENOUGH)
#endif
#define ERASABLE	(IDLE && k_space && k_uuid != NOBODY && region == GONE && xp == NO_OBJECT)
#define PROVISIONABLE	(ERASABLE && MY_CLASS_DRIVER && MAY_WRITE)

inline store_block(part, value)
{
	printf("driver:   part %d of the head is %d\n", part, value);
	demand(bound == FREE, BLOCK_UNDER_DEVICE);
	store(part, value)
}

/* nvdimm_write_bytes() flushes before it returns. */
inline written()
{
	check();
	gap();
#ifndef BLOCK_NOT_FLUSHED
	flush();
#endif
	check();
	gap()
}

/* xen_pmem_erase_block() of xen_pmem_provision.c */
inline erase_block()
{
	store_block(SIG, NIL);
	store_block(FIELDS, NIL);
	written();
	store_block(FIRST, NIL);
	written()
}

/* xen_pmem_write_block() of xen_pmem_provision.c, the two writes after that */
inline write_block()
{
	parent_of[NEW] = k_uuid;
#ifdef ONE_WRITE
	store_block(SIG, SIG_PFN);
#else
	store_block(SIG, NIL);
#endif
	store_block(FIELDS, NEW);
	store_block(REST, NEW);
	written();
#ifdef ADD_BEFORE_SIGNATURE
	xp = CHECKED;
	xp_uuid = k_uuid;
	add();
	ok = false;
#endif
	store_block(SIG, SIG_PFN);
	written()
}

inline provision()
{
	if
	:: op == ERASE && ERASABLE -> erase_block(); ok = true
	:: op == PROVISION && PROVISIONABLE ->
#ifdef QUERY_WRITES
		write_records();
#endif
#ifdef ADD_BEFORE_BLOCK
		xp = CHECKED;
		xp_uuid = k_uuid;
		add();
#endif
#ifndef ONE_WRITE
		erase_block();
#endif
		write_block();
		ok = true
	:: else
	fi
}

/* --- calls ----------------------------------------------------------------------------- */

/* nd_device_store()s of namespace_devs.c: -EBUSY with a driver or a claim. */
inline set()
{
	if
#ifdef LABEL_BEFORE_REMOVE
	:: (bound == FREE && !claim) || op == DELETE ->
#else
	:: bound == FREE && !claim ->
#endif
		if
		:: op == SET_UUID -> k_uuid = arg_uuid
		:: op == SET_SIZE -> k_space = true
		:: op == SET_CLASS -> k_class = arg_class
		:: op == DELETE -> k_space = false
		fi;
		ok = true;
		label_update();
		if
		:: op == DELETE -> k_uuid = NOBODY; k_class = ANY
		:: else
		fi
	:: else
	fi
}

inline claim_it()
{
	if
	:: bound == FREE && !claim && k_space -> claim = true; claim_is_new = true; ok = true
	:: else
	fi
}

/* namespace_store() of claim.c: -EBUSY while the child has a driver. */
inline detach_it()
{
	if
	:: claim && bound == FREE -> claim = false; claim_is_new = false; ok = true
	:: else
	fi
}

/* ndctl_region_disable_invalidate(): all drivers of the region go, then its namespaces. */
inline region_off()
{
	if
	:: bound == XEN_PMEM -> take_back()
	:: else -> flush()
	fi;
	bound = FREE;
	raw_by_force = false;
	claim = false;
	claim_is_new = false;
	k_region = false;
	k_space = false;
	k_uuid = NOBODY;
	ok = true;
	check()
}

inline serve()
{
	if
	:: op == BIND || op == ATTACH ->
		probe();
		if
		:: op == BIND && bound != FREE -> ok = true	/* ndctl_namespace_enable() */
		:: else
		fi
	:: op == UNBIND || op == UNBIND_CHILD -> unbind()
	:: op == CLAIM -> claim_it()
	:: op == DETACH -> detach_it()
	:: op == SET_UUID || op == SET_SIZE || op == SET_CLASS || op == DELETE -> set()
	:: op == PROVISION || op == ERASE -> provision()
	:: op == REGION_OFF -> region_off()
	:: op == REGION_ON -> read_labels(); ok = true
	:: op == TRY_AGAIN -> given_back()
	fi
}

/* Locals that are not used any more, so that states do not differ by them. */
inline forget()
{
	op = BIND;
	arg_class = ANY;
	arg_uuid = NOBODY;
	ok = false;
	answer = false;
	here = 0;
	next = 0;
	used = 0;
	next_seq = 0;
	with_other = 0
}

proctype kernel()
{
	mtype:call op;
	mtype:class arg_class;
	byte arg_uuid;
	bool ok, answer;
	byte here, next, used, next_seq;
	bit with_other;

	goto on;
end_off:
	atomic {
		forget();
		serving = false;
		working = false;
		pause = false;
		parked = true
	};
	atomic { power -> parked = false };
on:
	{
		do
		:: skip;
end_idle:	   atomic {
			if
			:: sys?op, arg_class, arg_uuid -> serving = true; answer = true
			:: actor && bound == FREE && k_space -> op = BIND; printf("udev: bind\n")
			:: actor && bound != FREE && (hold != MOUNTED || bound == XEN_PMEM) ->
				op = (bound == CHILD -> UNBIND_CHILD : UNBIND);
				printf("admin: unbind\n")
			:: xp == QUARANTINE && hold == NO_ONE -> op = TRY_AGAIN
			fi;
			working = true;
			serve();
			working = false;
			/* nothing kills ndctl between the halves of a write to provision */
			serving = (answer && op == PROVISION && ok);
			if
			:: answer -> printf("ndctl:   %e %e: %d\n", op, arg_class, ok); ret!ok
			:: else
			fi;
			forget()
		}
		od
	} unless { !power -> goto end_off }
}
