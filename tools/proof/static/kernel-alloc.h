/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For analysers of C, before all else in a file of Linux 6.12: what allocates memory
 * and what frees it.  The kernel's own declarations do not say it.
 */
#ifndef PROOF_STATIC_KERNEL_ALLOC_H
#define PROOF_STATIC_KERNEL_ALLOC_H

#include <linux/types.h>

struct kmem_cache;

#ifdef __clang__
#define ALLOCATES __attribute__((ownership_returns(malloc)))
void kfree(const void *object) __attribute__((ownership_takes(malloc, 1)));
#else
#define ALLOCATES __attribute__((malloc(kfree, 1)))
void kfree(const void *object);
#endif

void *__kmalloc_noprof(size_t size, gfp_t flags) ALLOCATES;
void *__kmalloc_cache_noprof(struct kmem_cache *s, gfp_t flags, size_t size) ALLOCATES;
void *__kmalloc_large_noprof(size_t size, gfp_t flags) ALLOCATES;

#endif /* PROOF_STATIC_KERNEL_ALLOC_H */
