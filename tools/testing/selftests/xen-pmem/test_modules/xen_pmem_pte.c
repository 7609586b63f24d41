// SPDX-License-Identifier: GPL-2.0
/*
 * xen_pmem_pte - what the page tables of this kernel say about a range
 */
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <asm/msr.h>

/**
 * DOC: xen_pmem_pte
 *
 * A test reads the memory type of a mapping instead of inferring it. One query
 * is written to debugfs, xen_pmem_pte/walk, the answer is read from there:
 *
 *  direct ADDR PAGES: the direct map of the physical address
 *  remap ADDR PAGES: a new mapping of the physical address, made as nd_pmem
 *  makes one of a raw namespace, and dropped before the write returns
 *  user ADDR PAGES: the mapping of the caller at the virtual address
 *
 * The answer is one line of key=value: pages asked for; present ones; identity,
 * those that map the frame of that physical address (0 for user); the count of
 * each memory type; the lowest and the highest frame. The type of an entry is
 * what its bits select in the PAT register. In a PV domain the entries are the
 * ones that the CPU uses, so also what Xen made of them is seen.
 */

#define XEN_PMEM_PTE_MAX_PAGES	BIT(24)

struct xen_pmem_pte_stats {
	unsigned long pages;
	unsigned long present;
	unsigned long identity;
	unsigned long type[8];
	u64 low;
	u64 high;
};

static DEFINE_MUTEX(xen_pmem_pte_lock);
static char xen_pmem_pte_answer[256];
static struct dentry *xen_pmem_pte_dir;

/* The index of a PTE's memory type in the PAT register. */
static unsigned int xen_pmem_pte_slot(u64 raw, unsigned int level)
{
	u64 pat = level == PG_LEVEL_4K ? _PAGE_PAT : _PAGE_PAT_LARGE;

	return (raw & pat ? 4 : 0) + (raw & _PAGE_PCD ? 2 : 0) +
	       (raw & _PAGE_PWT ? 1 : 0);
}

static u64 xen_pmem_pte_frame(u64 raw, unsigned long addr, unsigned int level)
{
	u64 mask = level == PG_LEVEL_4K ? PAGE_MASK :
		   level == PG_LEVEL_2M ? PMD_MASK : PUD_MASK;

	return ((raw & PTE_PFN_MASK & mask) | (addr & ~mask)) >> PAGE_SHIFT;
}

static void xen_pmem_pte_count(struct xen_pmem_pte_stats *stats, u64 pat,
			       const pte_t *pte, unsigned long addr,
			       unsigned int level, u64 expected)
{
	u64 raw, frame;

	stats->pages++;
	if (!pte || !(READ_ONCE(pte->pte) & _PAGE_PRESENT))
		return;

	raw = READ_ONCE(pte->pte);
	frame = xen_pmem_pte_frame(raw, addr, level);
	stats->present++;
	stats->identity += frame == expected;
	stats->type[(pat >> (8 * xen_pmem_pte_slot(raw, level))) & 7]++;
	stats->low = min(stats->low, frame);
	stats->high = max(stats->high, frame);
}

/* Pages of the kernel's own tables from @addr on, @frame and up expected. */
static void xen_pmem_pte_kernel(struct xen_pmem_pte_stats *stats, u64 pat,
				unsigned long addr, unsigned long pages,
				u64 frame)
{
	unsigned int level;
	pte_t *pte;

	while (pages--) {
		pte = lookup_address(addr, &level);
		xen_pmem_pte_count(stats, pat, pte, addr, level, frame++);
		addr += PAGE_SIZE;
		cond_resched();
	}
}

static int xen_pmem_pte_remap(struct xen_pmem_pte_stats *stats, u64 pat,
			      u64 start, unsigned long pages)
{
	void *map = memremap(start, pages << PAGE_SHIFT, MEMREMAP_WB);

	if (!map)
		return -ENXIO;
	xen_pmem_pte_kernel(stats, pat, (unsigned long)map, pages,
			    start >> PAGE_SHIFT);
	memunmap(map);
	return 0;
}

/* The entry that maps @addr in @mm, whose mmap lock the caller holds. */
static pte_t *xen_pmem_pte_of_user(struct mm_struct *mm, unsigned long addr,
				   unsigned int *level)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd;

	*level = PG_LEVEL_NONE;
	if (pgd_none(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, addr);
	*level = PG_LEVEL_1G;
	if (pud_none(*pud) || pud_leaf(*pud))
		return (pte_t *)pud;
	pmd = pmd_offset(pud, addr);
	*level = PG_LEVEL_2M;
	if (pmd_none(*pmd) || pmd_leaf(*pmd))
		return (pte_t *)pmd;
	*level = PG_LEVEL_4K;
	return pte_offset_kernel(pmd, addr);
}

static int xen_pmem_pte_user(struct xen_pmem_pte_stats *stats, u64 pat,
			     u64 addr, unsigned long pages)
{
	struct mm_struct *mm = current->mm;
	unsigned int level;
	pte_t *pte;

	if (!mm || addr >= TASK_SIZE_MAX - (pages << PAGE_SHIFT))
		return -EFAULT;

	mmap_read_lock(mm);
	while (pages--) {
		pte = xen_pmem_pte_of_user(mm, addr, &level);
		xen_pmem_pte_count(stats, pat, pte, addr, level, ~0ULL);
		addr += PAGE_SIZE;
		cond_resched();
	}
	mmap_read_unlock(mm);
	return 0;
}

static void xen_pmem_pte_print(const struct xen_pmem_pte_stats *stats)
{
	/* Indexed as in the PAT register: 0 UC, 1 WC, 4 WT, 5 WP, 6 WB, 7 UC-. */
	const unsigned long *type = stats->type;

	scnprintf(xen_pmem_pte_answer, sizeof(xen_pmem_pte_answer),
		  "pages=%lu present=%lu identity=%lu wb=%lu wt=%lu wp=%lu wc=%lu uc_minus=%lu uc=%lu low=%#llx high=%#llx\n",
		  stats->pages, stats->present, stats->identity, type[6],
		  type[4], type[5], type[1], type[7], type[0],
		  stats->present ? stats->low : 0, stats->high);
}

static int xen_pmem_pte_query(const char *what, u64 addr, unsigned long pages)
{
	struct xen_pmem_pte_stats stats = { .low = ~0ULL };
	u32 low, high;
	u64 pat;
	int rc;

	if (!PAGE_ALIGNED(addr) || !pages || pages > XEN_PMEM_PTE_MAX_PAGES)
		return -EINVAL;
	rc = rdmsr_safe(MSR_IA32_CR_PAT, &low, &high);
	if (rc)
		return rc;
	pat = (u64)high << 32 | low;

	if (!strcmp(what, "direct"))
		xen_pmem_pte_kernel(&stats, pat, (unsigned long)__va(addr),
				    pages, addr >> PAGE_SHIFT);
	else if (!strcmp(what, "remap"))
		rc = xen_pmem_pte_remap(&stats, pat, addr, pages);
	else if (!strcmp(what, "user"))
		rc = xen_pmem_pte_user(&stats, pat, addr, pages);
	else
		rc = -EINVAL;
	if (!rc)
		xen_pmem_pte_print(&stats);
	return rc;
}

static ssize_t xen_pmem_pte_write(struct file *file, const char __user *ubuf,
				  size_t len, loff_t *pos)
{
	unsigned long pages;
	char buf[64] = "";
	char what[8];
	u64 addr;
	int rc;

	if (len >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, len))
		return -EFAULT;
	if (sscanf(buf, "%7s %lli %lu", what, &addr, &pages) != 3)
		return -EINVAL;

	guard(mutex)(&xen_pmem_pte_lock);
	xen_pmem_pte_answer[0] = 0;
	rc = xen_pmem_pte_query(what, addr, pages);
	return rc ?: len;
}

static ssize_t xen_pmem_pte_read(struct file *file, char __user *ubuf,
				 size_t len, loff_t *pos)
{
	guard(mutex)(&xen_pmem_pte_lock);
	return simple_read_from_buffer(ubuf, len, pos, xen_pmem_pte_answer,
				       strlen(xen_pmem_pte_answer));
}

static const struct file_operations xen_pmem_pte_fops = {
	.owner = THIS_MODULE,
	.write = xen_pmem_pte_write,
	.read = xen_pmem_pte_read,
};

static int __init xen_pmem_pte_init(void)
{
	xen_pmem_pte_dir = debugfs_create_dir("xen_pmem_pte", NULL);
	debugfs_create_file("walk", 0600, xen_pmem_pte_dir, NULL,
			    &xen_pmem_pte_fops);
	return 0;
}
module_init(xen_pmem_pte_init);

static void __exit xen_pmem_pte_exit(void)
{
	debugfs_remove(xen_pmem_pte_dir);
}
module_exit(xen_pmem_pte_exit);

MODULE_DESCRIPTION("Memory types in the page tables, for the xen-pmem selftests");
MODULE_LICENSE("GPL");
