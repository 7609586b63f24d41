/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ndctl: one command, in the order of ndctl/namespace.c and ndctl/lib of ndctl 81 with the
 * series. Labels have the names of its functions. Between any two steps it can be killed,
 * also where it holds signals: nobody holds SIGKILL.
 */

mtype:command = {
	CREATE,			/* create-namespace --mode=xen --region=... */
	TO_XEN,			/* create-namespace --mode=xen --reconfig=... */
	TO_STOCK,		/* create-namespace --mode=... --reconfig=..., a stock mode */
	CREATE_STOCK,		/* create-namespace --mode=... --region=... */
	DESTROY, DISABLE, ENABLE
}

mtype:command command;
bool force = false;
bool new_label = false;		/* --uuid, or a --size that is another */
bool autolabel = false;
byte turn = 0;			/* of the commands, one after the other */
bool killed = false;
bool done = false;		/* the command ended, with or without success */
bool success = false;

#define STOCK_CLASS(kind)	(kind == FSDAX -> PFN : (kind == DEVDAX -> DAX : \
				 (kind == SECTOR -> BTT : ANY)))
#define IS_ACTIVE	(bound != FREE)
/* pfn_sb_to_xen_ext() */
#define HAS_XEN_MAGIC	(cache[SIG] == SIG_PFN && cache[REST] != NIL && kind_of[cache[REST]] == XEN)

inline sys_call(which, class, uuid)
{
	gap();
	sys!which, class, uuid;
	ret?ok
}

/* Takes no lock. */
inline set_raw_mode(value)
{
	gap();
	force_raw = value;
	printf("ndctl:   force_raw %d\n", force_raw)
}

/* A write to the raw disk, O_DIRECT, without fsync. */
inline zero_head()
{
	store(FIRST, NIL);
	store(SIG, NIL);
	store(FIELDS, NIL);
	store(REST, NIL);
	printf("ndctl:   zeroes are written\n");
	check()
}

/* ndctl_namespace_disable_invalidate() of libndctl.c, with ndctl_pfn_delete() and others */
inline disable_invalidate()
{
	if
	:: claim ->
		sys_call(UNBIND_CHILD, ANY, NOBODY);
		sys_call(DETACH, ANY, NOBODY)
	:: else -> ok = true
	fi;
	if
	:: ok && IS_ACTIVE -> sys_call(UNBIND, ANY, NOBODY)
	:: else
	fi
}

/*
 * check_given_back() of lib/xen.c: for a guest it is enabled again, for a neighbour left
 * to the driver. What nobody uses the driver gives back within the six seconds.
 */
inline check_given_back()
{
	if
	:: xp != QUARANTINE -> ok = true
	:: xp == QUARANTINE && hold == NEIGHBOUR -> ok = true
	:: xp == QUARANTINE && hold == GUEST ->
		sys_call(BIND, ANY, NOBODY);
		ok = false
	fi
}

/* ndctl_namespace_disable_safe() of libndctl.c, namespace_disable_xen() of lib/xen.c */
inline disable_safe()
{
	if
	:: IS_ACTIVE && hold == MOUNTED -> ok = false	/* open(O_EXCL), disable_all_inner() */
	:: else ->
		if
		:: bound == XEN_PMEM ->			/* namespace_disable_xen() */
			sys_call(UNBIND, ANY, NOBODY);
			check_given_back()
		:: else -> disable_invalidate()
		fi
	fi
}

/*
 * The window is open if ok and a raw disk. What somebody else enabled stays as it is, and
 * if nobody did there is nothing to disable.
 */
inline open_raw_window()
{
	set_raw_mode(true);
	sys_call(BIND, ANY, NOBODY);
	if
	:: ok && bound == RAW
	:: ok && bound != RAW -> set_raw_mode(false)
	:: !ok -> set_raw_mode(false)
	fi
}

/* enable_labels(): ndctl_dimm_init_labels() writes both index blocks. */
inline enable_labels()
{
	sys_call(REGION_OFF, ANY, NOBODY);
	gap();
	seq[0] = 3;
	slot[0] = 0;
	labels_changed();
	check();
	gap();
	seq[1] = 2;
	slot[1] = 0;
	labels_changed();
	check();
	sys_call(REGION_ON, ANY, NOBODY)
}

#ifdef RAW_PROVISION
/* As in ndctl alone, without a driver that writes the block. */
inline raw_provision()
{
	set_raw_mode(true);
	sys_call(BIND, ANY, NOBODY);
	if
	:: ok && bound == RAW ->
		gap();
		parent_of[NEW] = k_uuid;
		store(FIRST, NIL);
		store(SIG, SIG_PFN);
		store(FIELDS, NEW);
		store(REST, NEW);
		check();
		gap();
		flush();
		check();
		gap()
	:: else -> ok = false
	fi;
	set_raw_mode(false);
	sys_call(UNBIND, ANY, NOBODY)
}
#endif

/* tell_driver() of lib/xen.c: left by a command that was killed. */
inline forget_raw_mode()
{
#ifndef FORCE_RAW_KEPT
	if
	:: raw_mode -> set_raw_mode(false)
	:: else
	fi
#else
	skip
#endif
}

/* What a label is for that becomes one of xen mode. */
#ifdef ERASE_WITHOUT_SIZE
#define OTHER_BLOCK	(made || enforce == DAX || enforce == BTT)
#else
#define OTHER_BLOCK	(!made && (enforce == DAX || enforce == BTT))
#endif

proctype ndctl()
{
	bool ok = false;
	bool zeroed = false;
	bool was_active = IS_ACTIVE;
	bool raw_mode = force_raw;	/* as add_namespace() reads it */
	bool made = false;		/* by this command: it is deleted if the rest fails */
	bool erased = false;
	bool taken = false;
	mtype:class enforce = k_class;

	atomic {
	printf("ndctl: %e, force %d, new label %d, autolabel %d\n", command, force, new_label,
	       autolabel);
	if
	:: command == CREATE -> goto namespace_create
	:: command == CREATE_STOCK -> goto check_free_capacity
	:: command != CREATE && command != CREATE_STOCK && !k_space -> goto failed
	:: command == TO_XEN && k_space -> goto xen_prep_reconfig
	:: (command == TO_STOCK || command == DESTROY) && k_space -> goto namespace_prep_reconfig
	:: command == DISABLE && k_space -> goto disable
	:: command == ENABLE && k_space -> goto enable
	fi;

	/* --- xen mode ------------------------------------------------------------------ */

namespace_create:
	if
	:: !xen_host -> goto failed		/* xen_mode_available() */
	:: xen_host && k_labelled && k_space -> goto failed	/* no free capacity */
	:: xen_host && !k_labelled && IS_ACTIVE ->		/* disable_unconfigured() */
		if
		:: bound == RAW -> taken = true; goto disable
		:: else -> goto failed
		fi
	:: else
	fi;
create_idle:
	made = k_labelled;
	overwrite = k_labelled;
	goto setup_xen_namespace;

xen_prep_reconfig:
	if
	:: !xen_host || (IS_ACTIVE && !force) || (new_label && !force) -> goto failed
#ifndef CLASS_BEFORE_LOOK
	:: xen_host && !force && OTHER_BLOCK -> goto failed
#endif
	:: else -> overwrite = force; goto disable
	fi;

namespace_reconfig_xen:
#ifndef LABEL_WHILE_KEPT
	if
	:: xp == QUARANTINE -> goto back		/* disable_for_xen() */
	:: else
	fi;
#endif
	if
	:: force && autolabel && !k_labelled ->
		enable_labels();
		made = true
	:: else
	fi;

	erased = force && OTHER_BLOCK;
#ifndef NO_ERASE
	if					/* erase_other_block() */
	:: erased ->
		forget_raw_mode();
		sys_call(ERASE, ANY, NOBODY);
		if
		:: !ok -> goto rollback
		:: else
		fi
	:: else
	fi;
#endif

setup_xen_namespace:
	if
	:: made || (command == TO_XEN && new_label && k_labelled) ->	/* setup_label() */
		sys_call(SET_UUID, ANY, U_NEW + turn);
		if
		:: ok -> sys_call(SET_SIZE, ANY, NOBODY)
		:: else
		fi;
		if
		:: !ok -> goto rollback
		:: else
		fi
	:: else
	fi;
#ifdef OTHER_CLASS
	sys_call(SET_CLASS, DAX, NOBODY);
#else
	if					/* it is not checked if it could be set */
#ifdef CLASS_BEFORE_LOOK
	:: true -> sys_call(SET_CLASS, PFN, NOBODY)
#else
	:: k_labelled || OTHER_BLOCK -> sys_call(SET_CLASS, PFN, NOBODY)
	:: !k_labelled && !OTHER_BLOCK -> skip
#endif
	fi;
#endif
	forget_raw_mode();
#ifdef RAW_PROVISION
	raw_provision();
#else
	sys_call(PROVISION, ANY, NOBODY);
#endif
	if
	:: ok -> sys_call(ATTACH, ANY, NOBODY)
	:: else
	fi;
	if
	:: ok -> goto succeeded
	:: else
	fi;

rollback:
	if
	:: made ->
		sys_call(SET_CLASS, ANY, NOBODY);
		if
		:: !IS_ACTIVE -> sys_call(DELETE, ANY, NOBODY)
		:: else
		fi
	:: taken -> sys_call(SET_CLASS, ANY, NOBODY)
#ifdef CLASS_BACK_OVER_BLOCK
	:: !made && !taken -> sys_call(SET_CLASS, enforce, NOBODY)
#else
	:: !made && !taken && !erased -> sys_call(SET_CLASS, enforce, NOBODY)
	:: !made && !taken && erased -> skip
#endif
	fi;
back:
	if
	:: taken || (command == TO_XEN && was_active && !made) -> sys_call(BIND, ANY, NOBODY)
	:: else
	fi;
	goto failed;

	/* --- disable, enable ------------------------------------------------------------- */

disable:
	disable_safe();
	if
	:: !ok -> goto failed
	:: ok && command == CREATE -> goto create_idle
	:: ok && command == TO_XEN -> goto namespace_reconfig_xen
	:: ok && (command == TO_STOCK || command == DESTROY) -> goto zero_info_block
	:: ok && command == DISABLE -> goto succeeded
	fi;

enable:
	sys_call(BIND, ANY, NOBODY);
#ifndef RAW_STAYS
	if					/* is_xen_in_raw_mode() */
	:: raw_mode && !was_active && (ok -> bound == RAW && HAS_XEN_MAGIC : xp == QUARANTINE) ->
		set_raw_mode(false);
		sys_call(UNBIND, ANY, NOBODY);
		sys_call(BIND, ANY, NOBODY)
	:: else
	fi;
#endif
	if
	:: ok -> goto succeeded
	:: else -> goto failed
	fi;

	/* --- what opens the raw window ---------------------------------------------------- */

check_free_capacity:
	if
	:: k_space && (k_labelled || IS_ACTIVE) -> goto failed
	:: k_labelled && !k_space -> goto setup_namespace
	:: else
	fi;
	open_raw_window();
	if
	:: ok && bound == RAW ->
		zeroed = !HAS_XEN_MAGIC;
		set_raw_mode(false);
		sys_call(UNBIND, ANY, NOBODY)
#ifdef ENABLED_UNSEEN
	:: ok && bound != RAW -> zeroed = true; sys_call(UNBIND, ANY, NOBODY)
#else
	:: ok && bound != RAW -> zeroed = false
#endif
#ifdef KEPT_IS_FREE
	:: !ok -> zeroed = true
#else
	:: !ok -> zeroed = !xen_host			/* xen_may_hold() */
#endif
	fi;
	if
	:: zeroed -> zeroed = false; goto setup_namespace
	:: else -> goto failed
	fi;

namespace_prep_reconfig:
	if
	:: IS_ACTIVE && !force -> goto failed
	:: else -> told = told || old_kind != XEN	/* idle is enough for all other modes */
	fi;
#ifdef LABEL_BEFORE_REMOVE
	if
	:: command == DESTROY && k_labelled -> sys_call(DELETE, ANY, NOBODY)
	:: else
	fi;
#endif
#ifdef ZEROES_BEFORE_REMOVE
	zero_head();
#endif
	goto disable;

zero_info_block:
	open_raw_window();
	if
	:: !ok -> zeroed = !xen_host		/* "continuing", but for xen_may_hold() */
	:: ok && bound != RAW -> zeroed = false
	:: ok && bound == RAW ->
		if
		:: BLANK(cache) -> zeroed = true
#ifndef NO_GUARD
		:: !BLANK(cache) && !force && HAS_XEN_MAGIC -> zeroed = false
		:: !BLANK(cache) && (force || !HAS_XEN_MAGIC) ->
#else
		:: !BLANK(cache) ->
#endif
			gap();
			if
			:: bound == RAW ->
				zero_head();
				zeroed = true
			:: else -> zeroed = false	/* EIO: the disk is gone */
			fi
		fi;
		set_raw_mode(false);
		sys_call(UNBIND, ANY, NOBODY)
	fi;
	if
	:: zeroed -> zeroed = false
	:: else -> goto failed
	fi;
	sys_call(SET_CLASS, ANY, NOBODY);
	if
	:: command == DESTROY && k_labelled ->
		sys_call(DELETE, ANY, NOBODY);
		if
		:: ok -> goto succeeded
		:: else -> goto failed
		fi
	:: command == DESTROY && !k_labelled -> goto succeeded
	:: command == TO_STOCK && autolabel && !k_labelled -> enable_labels()
	:: else
	fi;

setup_namespace:
	if
	:: k_labelled ->
		sys_call(SET_UUID, ANY, U_NEW + turn);
		if
		:: ok -> sys_call(SET_SIZE, ANY, NOBODY)
		:: else
		fi;
		if
		:: !ok -> goto failed
		:: else
		fi
	:: else
	fi;
	sys_call(SET_CLASS, STOCK_CLASS(new_kind), NOBODY);
	if
	:: new_kind != RAW_DATA -> sys_call(CLAIM, ANY, NOBODY)
	:: else -> ok = true
	fi;
	if
	:: ok -> sys_call(BIND, ANY, NOBODY)
	:: else
	fi;
	if
	:: ok -> goto succeeded
	:: !ok && new_kind != RAW_DATA -> sys_call(DETACH, ANY, NOBODY)
	:: !ok && new_kind == RAW_DATA -> skip
	fi;
	if
	:: command == CREATE_STOCK -> sys_call(SET_CLASS, ANY, NOBODY)	/* namespace_create() */
	:: else
	fi;
	goto failed;

succeeded:
	success = true;
failed:
	printf("ndctl: end, success %d\n", success);
	done = true
	} unless { !power || (killed && !serving) };
	overwrite = false
}
