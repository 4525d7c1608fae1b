/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "text_pages.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The loader writes into text of such an object, and giving it back would undo
 * that. */
static bool has_text_relocations(const struct dl_phdr_info *object) {
  for (size_t i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_DYNAMIC)
      continue;
    const ElfW(Dyn) *d =
        (const ElfW(Dyn) *)(object->dlpi_addr + segment->p_vaddr);
    for (; d->d_tag != DT_NULL; d++)
      if (d->d_tag == DT_TEXTREL ||
          (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL) != 0))
        return true;
  }
  return false;
}

static int give_back(struct dl_phdr_info *object, size_t size, void *data) {
  if (has_text_relocations(object))
    return 0;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (size_t i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
      continue;
    uintptr_t begin = object->dlpi_addr + segment->p_vaddr;
    uintptr_t end = (begin + segment->p_filesz) & ~(page - 1);
    begin &= ~(page - 1);
    /* What the kernel mapped itself (the vDSO) it refuses. */
    if (end > begin)
      (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
  }
  return 0;
}

void tally_text_pages_give_back(void) { dl_iterate_phdr(give_back, NULL); }
