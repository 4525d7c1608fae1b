/* SPDX-License-Identifier: MIT */
#ifndef TALLY_CORE_CLEANUP_H
#define TALLY_CORE_CLEANUP_H

/*
 * Variables that give back what they hold when they go out of scope.
 * To move ownership out, copy the value and set the variable to NULL or -1.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void tally_cleanup_free(void *p) { free(*(void **)p); }

static inline void tally_cleanup_close(int *fd) {
  if (*fd >= 0)
    close(*fd);
}

static inline void tally_cleanup_fclose(FILE **stream) {
  if (*stream != NULL)
    fclose(*stream);
}

static inline void tally_cleanup_closedir(DIR **dir) {
  if (*dir != NULL)
    closedir(*dir);
}

#define tally_autofree __attribute__((cleanup(tally_cleanup_free)))
#define tally_autoclose __attribute__((cleanup(tally_cleanup_close)))
#define tally_autofclose __attribute__((cleanup(tally_cleanup_fclose)))
#define tally_autoclosedir __attribute__((cleanup(tally_cleanup_closedir)))

#endif
