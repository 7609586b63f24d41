/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol by which a namespace comes into xen mode and out of it: every order of its
 * writes, every point at which the power fails or ndctl is killed.
 *
 * A run chooses a namespace, a command, and who uses what; ndctl runs; udev and others bind
 * and unbind; the power fails once, or not, and ndctl is killed once, or not. After a cut
 * either Linux alone comes up, without the driver, or our Xen with it. What is there then
 * is judged, and somebody goes on, with the same command or not, with disable- and
 * enable-namespace if nothing was to be lost, and with create- or destroy-namespace, which
 * both have to succeed. README.md says what is not in it; scripts/proof-model runs it.
 */

/* How many different media after a cut were judged, each once: of interest to the report. */
c_decl {
	static unsigned long judged;

	static void print_judged(void)
	{
		printf("judged: %lu\n", judged);
	}

	static void count_judged(void)
	{
		if (!judged++)
			atexit(print_judged);
	}
};

#include "medium.pml"
#include "kernel.pml"
#include "ndctl.pml"

bool is_old, is_new;

bool NEITHER_OLD_NEW_NOR_EMPTY;	/* after a cut */
bool OLD_IS_LOST;		/* a command that was not told to lose it did */
bool DONE_IS_UNDONE;		/* what ndctl said is done is not there after a cut */
bool NEW_DATA_LOST;		/* what was written to the new namespace, and fsync'ed */
bool OTHER_IS_LOST;		/* the other namespace of the region */
bool SHOWN_AS_ANOTHER;		/* a kernel shows another device than there is on the medium */
bool DATA_OVERWRITTEN;		/* of an old namespace that is still there */
bool CANNOT_DESTROY;		/* what a kill or cut left */
bool CANNOT_TAKE;		/* what a kill or cut left, for xen mode with --force */
bool CANNOT_CREATE;		/* in what was destroyed */
bool CANNOT_GO_BACK;		/* by disable- and enable-namespace, to what was not to be lost */

bool had = false;		/* the old namespace holds something */
bool was_labelled;
bool going_on = false;		/* the first command is over */
bool acknowledged = false;	/* the first command said that it is done */
bool new_data = false;
bool cut_left = true;
bool kill_left = true;
mtype:command first_command;
bool first_force;

/* --- where it begins -------------------------------------------------------------------- */

/* The block of old_kind, all of it durable. */
inline lay_out_head()
{
	if
	:: old_kind == FSDAX || old_kind == DEVDAX || old_kind == XEN ||
	   (old_kind == SECTOR && !was_labelled) ->
		durable[SIG] = sig_of[OLD];
		durable[FIELDS] = OLD;
		durable[REST] = OLD
	:: old_kind == SECTOR && was_labelled -> durable[FIRST] = OLD
	:: old_kind == RAW_DATA -> durable[FIRST] = OLD
	:: old_kind == EMPTY || old_kind == NO_KIND ->
		if
		:: true						/* zeroes */
		:: durable[REST] = NOISE; durable[FIELDS] = NOISE	/* a provisioning that was cut */
		:: was_labelled -> durable[SIG] = SIG_PFN;	/* a block of another namespace */
			durable[FIELDS] = NOISE; durable[REST] = NOISE
		fi
	fi;
	define(NOISE, XEN);
	parent_of[NOISE] = U_NOISE;
	cache[FIRST] = durable[FIRST];
	cache[SIG] = durable[SIG];
	cache[FIELDS] = durable[FIELDS];
	cache[REST] = durable[REST];
	had = old_kind != EMPTY && old_kind != NO_KIND;
	if
	:: old_kind == XEN -> reserved = RECORDS; data = USER
	:: old_kind != XEN && had -> reserved = USER; data = USER
	:: !had -> reserved = NOTHING; data = NOTHING
	:: !had -> reserved = RECORDS; data = NOTHING
	fi
}

inline lay_out_labels()
{
	if
	:: was_labelled ->
		seq[0] = 3;
		seq[1] = 2;
		other[0] = true;	/* both came after the last index block */
		if
		:: old_kind == NO_KIND -> parent_of[OLD] = NOBODY
		:: else ->
			parent_of[OLD] = U_OLD;
			slot[0] = 1;
			slot_uuid[0] = U_OLD;
			slot_class[0] = (old_kind == XEN -> PFN : STOCK_CLASS(old_kind))
		fi
	:: else -> parent_of[OLD] = ZERO
	fi;
	labels_changed()
}

/* As the kernel had bound it; idle by disable-namespace. */
inline bring_up()
{
	read_labels();
	if
	:: k_space && old_kind == XEN && xen_host ->
		bound = XEN_PMEM;
		xp = IN_USE;
		xp_uuid = k_uuid;
		region = ACTIVE;
		xen_writes = true
	:: k_space && (old_kind == FSDAX || old_kind == DEVDAX || old_kind == SECTOR) ->
		bound = CHILD;
		claim = true
	:: k_space && (old_kind == EMPTY || old_kind == RAW_DATA) -> bound = RAW
	:: else
	fi;
	if
	:: bound != FREE ->
		bound = FREE;
		claim = false;
		xp = NO_OBJECT;
		region = GONE;
		xen_writes = false
	:: bound != FREE && had -> hold = MOUNTED
	:: bound == XEN_PMEM -> hold = GUEST
	:: bound == XEN_PMEM -> hold = NEIGHBOUR
	:: true
	fi
}

inline choose_command()
{
	if
	:: xen_host -> command = CREATE; define(NEW, XEN)
	:: xen_host -> command = TO_XEN; define(NEW, XEN)
	:: had && old_kind == XEN -> command = TO_STOCK; define(NEW, RAW_DATA)
	:: had && old_kind == XEN -> command = TO_STOCK; define(NEW, FSDAX)
	:: had && old_kind == XEN -> command = TO_STOCK; define(NEW, DEVDAX)
	:: had && old_kind == XEN -> command = TO_STOCK; define(NEW, SECTOR)
	:: (old_kind == XEN || old_kind == EMPTY) && !was_labelled ->
		command = CREATE_STOCK;
		define(NEW, FSDAX)
	:: (old_kind == XEN || old_kind == EMPTY) && !was_labelled ->
		command = CREATE_STOCK;
		define(NEW, DEVDAX)
	:: command = DESTROY
	fi;
	if
	:: command == TO_XEN -> new_label = was_labelled
	:: command == TO_XEN || command == TO_STOCK -> autolabel = !was_labelled
	:: true
	fi;
	if
	:: command != CREATE && command != CREATE_STOCK -> force = true
	:: true
	fi;
	if
	:: new_kind == XEN -> refuse = EARLY
	:: new_kind == XEN -> refuse = LATE
	:: true
	fi;
	told = force || !had;
	printf("begin: %e, labels %d, %e, hold %e, Xen %d, to %e, ADD refused %e, told to lose it %d\n",
	       old_kind, was_labelled, bound, hold, xen_host, new_kind, refuse, told);
	first_command = command;
	first_force = force
}

inline begin()
{
	if
#ifdef BEGIN
	:: define(OLD, BEGIN)
#else
	:: define(OLD, NO_KIND); was_labelled = true
	:: define(OLD, EMPTY)
	:: define(OLD, RAW_DATA)
	:: define(OLD, FSDAX)
	:: define(OLD, DEVDAX)
	:: define(OLD, SECTOR)
	:: define(OLD, XEN)
#endif
	fi;
	if
	:: was_labelled = true
	:: old_kind != NO_KIND
	fi;
	if
	:: xen_host = true
	:: old_kind == XEN
	fi;
	lay_out_head();
	lay_out_labels();
	bring_up();
	choose_command();
	check()
}

/* --- the judge ----------------------------------------------------------------------------- */

/* The head is all of one generation. */
#define IS(gen)		(kind_of[gen] != NO_KIND && HAS_NAMESPACE && parent_of[gen] == medium_uuid && \
			 (labelled && kind_of[gen] == SECTOR -> durable[FIRST] == gen : \
			  durable[FIELDS] == gen && durable[REST] == gen && BLOCK_OK(durable)))
/* What is another namespace's counts for nothing. */
#define NO_BLOCK	(!HAS_NAMESPACE || \
			 (!(BLOCK_OK(durable) && parent_of[durable[REST]] == medium_uuid) && \
			  !(labelled && BTT_AT_0(durable, medium_uuid))))
#define IS_OLD		(had && (old_kind == RAW_DATA -> \
				 NO_BLOCK && medium_uuid == parent_of[OLD] && durable[FIRST] == OLD : \
				 IS(OLD)))
/* Whose data is bytes of the reserved area of the next one. */
#define DATA_IS_THERE	(data == USER && (old_kind == XEN || reserved == USER))

/* Of the kernel that came up. */
#define SHOWS(kind)	(kind == XEN -> (bound == (xen_host -> XEN_PMEM : FREE)) : \
			 (kind == RAW_DATA -> bound == RAW : bound == CHILD))

inline judge()
{
	c_code { count_judged(); };
	is_old = IS_OLD;
	is_new = IS(NEW);
	printf("judge: old %d, new %d\n", is_old, is_new);
	demand(is_old || is_new || NO_BLOCK, NEITHER_OLD_NEW_NOR_EMPTY);
	demand(told || is_old, OLD_IS_LOST);
	demand(!is_old || DATA_IS_THERE, DATA_OVERWRITTEN);
	demand(!is_old || SHOWS(old_kind), SHOWN_AS_ANOTHER);
	/* of other modes stock ndctl does not look if the label got its class */
	demand(!is_new || new_kind != XEN || SHOWS(XEN), SHOWN_AS_ANOTHER);
	demand(!acknowledged || new_kind != XEN || is_new, DONE_IS_UNDONE);
	demand(!acknowledged || command != DESTROY || (NO_BLOCK && !is_old), DONE_IS_UNDONE);
	demand(!new_data || (is_new && data == FRESH), NEW_DATA_LOST);
	demand(!was_labelled || (labelled && other[current]), OTHER_IS_LOST);
	is_old = false;
	is_new = false
}

/* --- what happens ---------------------------------------------------------------------------- */

inline power_off()
{
	cut_left = false;
	power = false;
	printf("the power fails\n")
}

/* Volatile state of both kernel and Xen. */
inline power_on()
{
	lose();
	if
	:: xen_host = true
	:: xen_host = false
	fi;
	bound = FREE;
	raw_by_force = false;
	xp = NO_OBJECT;
	xp_uuid = NOBODY;
	region = GONE;
	xen_writes = false;
	hold = NO_ONE;
	refuse = NEVER;
	actor = false;
	killed = false;
	read_labels();
	printf("boot: Xen %d; head %d %d %d %d, label uuid %d, class %e\n", xen_host, durable[FIRST],
	       durable[SIG], durable[FIELDS], durable[REST], k_uuid, k_class);
	power = true
}

#define OTHERS	3		/* processes besides ndctl */

inline run_command(which, with_force)
{
	command = which;
	force = with_force;
	acknowledged = false;
	turn++;
	killed = false;
	done = false;
	success = false;
	run ndctl()
}

/* Until it is done; if the power fails, the rest of init begins anew after the boot. */
inline wait_for_command()
{
	do
	:: atomic { done && _nr_pr == OTHERS -> break }
	:: atomic { cut_left && !done -> power_off(); goto power_cut }
	od
}

init
{
	bool ok;

	atomic { begin() };
#ifdef COMMAND
	if
	:: command != COMMAND -> goto end
	:: else
	fi;
#endif
	atomic { run go_on_after_pause(); run kernel(); run ndctl() }
	do
	:: atomic { done && _nr_pr == OTHERS -> acknowledged = success; break }
	:: atomic { killed && !done && _nr_pr == OTHERS -> break }
	:: atomic { kill_left && !done ->
		kill_left = false;
		killed = true;
		printf("ndctl is killed\n") }
	:: atomic { cut_left && !done -> power_off(); goto power_cut }
	od;
	if
	:: atomic { acknowledged && new_kind == XEN && bound == XEN_PMEM ->
		new_data = true;
		data = FRESH }
	:: true
	fi;
	if
	:: atomic { cut_left -> power_off(); goto power_cut }
	:: acknowledged -> goto end
	:: !acknowledged -> goto go_on
	fi;

power_cut:
	atomic { parked && _nr_pr == OTHERS -> power_on() };
	sys!BIND, ANY, NOBODY;
	ret?ok;
	atomic { ok = false; judge(); acknowledged = false; new_data = false };
	if
	:: going_on -> goto end
	:: else
	fi;

	/* Who used it ends that, and the driver gives back what it kept. */
go_on:
	atomic { hold = NO_ONE; actor = false; refuse = NEVER; going_on = true };
	xp != QUARANTINE && !working;
	if
	:: !k_region ->			/* killed in enable_labels(): ndctl enable-region */
		sys!REGION_ON, ANY, NOBODY;
		ret?ok;
		ok = false
	:: else
	fi;
	if
	:: atomic { run_command(first_command, first_force) };
		wait_for_command()
	:: true
	fi;
	if
	:: !told ->
		atomic { run_command(DISABLE, false) };
		wait_for_command();
		atomic { run_command(ENABLE, false) };
		wait_for_command();
		demand(IS_OLD && SHOWS(old_kind), CANNOT_GO_BACK)
	:: else
	fi;
	if
	:: atomic { xen_host && k_space ->
		told = true;
		define(NEW, XEN);
		run_command(TO_XEN, true) };
		wait_for_command();
		demand(success && bound == XEN_PMEM, CANNOT_TAKE);
		goto end
	:: true
	fi;
	if
	:: k_space ->
		atomic { told = true; run_command(DESTROY, true) };
		wait_for_command();
		demand(success && (k_labelled -> !k_space : BLANK(cache)), CANNOT_DESTROY)
	:: else
	fi;
	if
	:: atomic { xen_host && k_labelled && BLANK(cache) ->
		define(NEW, XEN);
		run_command(CREATE, false) };
		wait_for_command();
		demand(success && bound == XEN_PMEM, CANNOT_CREATE)
	:: atomic { xen_host && !k_labelled -> define(NEW, XEN); run_command(TO_XEN, true) };
		wait_for_command();
		demand(success && bound == XEN_PMEM, CANNOT_CREATE)
	:: else
	fi;
end:
	skip
}
